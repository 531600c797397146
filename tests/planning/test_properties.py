"""What holds for every plan, whatever the rules of a category and whoever the people are.

By ten thousand examples each: `make test ARGS="tests/planning --hypothesis-profile thorough"`.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.channels import Channel
from accounts.policies import Reach, Routing
from accounts.zones import zone_of
from notifications.planning.plan import plan
from notifications.planning.rules.quiet_hours import is_quiet
from notifications.planning.values import (
    Candidate,
    DeviceFact,
    Drop,
    Facts,
    Gather,
    Itinerary,
    Later,
    Person,
    Policy,
    QuietHours,
    Send,
)
from notifications.vocabulary import Queue, Reason
from tests.planning.examples import NEWS

#: Ten thousand examples take their time on a busy machine.
pytestmark = pytest.mark.timeout(900)

#: So few that people share them, and suppressions meet them.
EMAILS, PHONES = ("", "a@example.com", "b@example.com"), ("", "+821011112222", "+821033334444")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS_OF = {Channel.EMAIL: EMAILS, Channel.SMS: PHONES}

channels = st.sampled_from(tuple(Channel))
times = st.times(timezones=st.none()).map(lambda one: one.replace(second=0, microsecond=0))
windows = st.none() | st.tuples(times, times).filter(lambda ends: ends[0] != ends[1]).map(
    lambda ends: QuietHours(*ends)
)
moments = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: NEW_YEAR + timedelta(minutes=minutes))
devices = st.lists(
    st.builds(DeviceFact, st.uuids(version=4), st.sampled_from((Queue.IOS, Queue.ANDROID, Queue.WEB)), moments),
    max_size=2,
)
choices = st.dictionaries(st.tuples(st.sampled_from((NEWS, None)), st.none() | channels), st.booleans(), max_size=4)
people = st.builds(
    Person,
    ref=st.sampled_from("abc"),
    recipient_id=st.none() | st.uuids(version=4),
    email=st.sampled_from(EMAILS),
    phone=st.sampled_from(PHONES),
    locale=st.sampled_from(("", "ko-KR", "fr")),
    devices=devices.map(tuple),
    choices=choices,
    lacks=st.sampled_from(("", "", "", "recipient.grade")),
    time_zone=st.sampled_from(("", "Asia/Seoul", "America/New_York", "Europe/Lisbon")),
    country=st.sampled_from(("", "KR", "US")),
    quiet=windows,
)
policies = st.builds(
    Policy,
    category_id=st.just(NEWS),
    opt_in=st.booleans(),
    is_critical=st.booleans(),
    quiet=windows,
    quiet_spread=st.integers(0, 120).map(lambda minutes: timedelta(minutes=minutes)),
    itinerary=st.builds(
        Itinerary,
        routing=st.sampled_from(tuple(Routing)),
        order=st.permutations(tuple(Channel)).map(tuple),
        reach=st.sampled_from(tuple(Reach)),
    ),
)
suppressions = st.frozensets(
    channels.filter(lambda one: one in ADDRESS_OF).flatmap(
        lambda one: st.tuples(st.just(one), st.sampled_from(ADDRESS_OF[one][1:]))
    )
)


@st.composite
def facts(draw: st.DrawFn) -> tuple[Facts, datetime]:
    """Facts, and the moment at which they are looked at."""
    at = draw(moments)
    hours = st.none() | st.integers(-48, 72).map(lambda number: at + timedelta(hours=number))
    silent = draw(st.frozensets(channels, max_size=1))
    known = Facts(
        policy=draw(policies),
        channels=tuple(draw(st.lists(channels, unique=True, min_size=1))),
        people=tuple(draw(st.lists(people, max_size=3))),
        suppressed=draw(suppressions),
        locale_for=lambda channel, _locale: None if channel in silent else "ko",
        send_at=draw(hours),
        expires_at=draw(hours),
    )
    return known, at


def word_of(candidate: Candidate, policy: Policy) -> bool:
    """Whether the person wants this, told otherwise than the rule tells it: the narrowest choice is the last word."""
    word = not policy.opt_in
    for category, channel in ((None, None), (None, candidate.channel), (NEWS, None), (NEWS, candidate.channel)):
        word = candidate.person.choices.get((category, channel), word)
    return word


@given(facts())
def test_every_person_and_channel_stands_in_a_plan_once_planned_or_with_a_reason(
    example: tuple[Facts, datetime],
) -> None:
    known, at = example
    decided = plan(known, at)

    asked = [(person, channel) for person in known.people for channel in known.channels]
    assert [(one.candidate.person, one.candidate.channel) for one in decided.decisions] == asked
    for one in decided.decisions:
        match one.verdict:
            case Send(targets=targets):
                assert targets
            case Drop(reason=reason):
                assert reason in Reason
            case Later(until=until) | Gather(until=until):
                assert until >= at


@given(facts())
def test_nobody_ever_sends_to_a_suppressed_address(example: tuple[Facts, datetime]) -> None:
    known, at = example
    for one in plan(known, at).decisions:
        if isinstance(one.verdict, Send):
            sent_to = {(one.candidate.channel, target.address) for target in one.verdict.targets}
            assert not sent_to & known.suppressed


@given(facts())
def test_nobody_is_written_to_against_their_word_unless_it_is_critical(example: tuple[Facts, datetime]) -> None:
    known, at = example
    for one in plan(known, at).decisions:
        if isinstance(one.verdict, Send):
            assert known.policy.is_critical or word_of(one.candidate, known.policy)
        elif isinstance(one.verdict, Drop) and one.verdict.reason in (Reason.OPTED_OUT, Reason.NOT_OPTED_IN):
            assert not known.policy.is_critical
            assert not word_of(one.candidate, known.policy)


@given(facts())
def test_the_same_facts_at_the_same_moment_give_the_same_plan(example: tuple[Facts, datetime]) -> None:
    known, at = example
    assert plan(known, at) == plan(known, at)


@given(facts())
def test_others_in_a_request_change_nothing_of_what_is_decided_for_somebody(example: tuple[Facts, datetime]) -> None:
    known, at = example
    together = plan(known, at).decisions
    width = len(known.channels)
    for place, person in enumerate(known.people):
        alone = Facts(
            known.policy, known.channels, (person,), known.suppressed, known.locale_for, known.send_at, known.expires_at
        )
        assert plan(alone, at).decisions == together[place * width : (place + 1) * width]


@given(facts())
def test_nothing_leaves_before_its_time_or_after_its_use(example: tuple[Facts, datetime]) -> None:
    known, at = example
    for one in plan(known, at).decisions:
        if isinstance(one.verdict, Send):
            leaves_at = one.verdict.hold.until if one.verdict.hold else at
            assert leaves_at >= max(at, known.send_at or at)
            assert known.expires_at is None or leaves_at < known.expires_at


@given(facts())
def test_nobody_is_woken_unless_it_is_critical(example: tuple[Facts, datetime]) -> None:
    known, at = example
    for one in plan(known, at).decisions:
        person = one.candidate.person
        if isinstance(one.verdict, Send) and not known.policy.is_critical:
            leaves_at = one.verdict.hold.until if one.verdict.hold else at
            zone = zone_of(person.time_zone, person.country, known.usual_zone)
            assert not any(is_quiet(leaves_at, window, zone) for window in (known.policy.quiet, person.quiet) if window)
