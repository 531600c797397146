"""One channel after the other: what comes later, and whether it is needed when its time comes."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.channels import Channel
from accounts.policies import Routing
from notifications.planning.escalation import ENDED, Heard, Onward, Patience, Tried, Wait, judged
from notifications.planning.plan import plan
from notifications.planning.values import Drop, Facts, Itinerary, Later, Policy, QuietHours, Send
from notifications.vocabulary import DeliveryState, Reason
from tests.planning.examples import NEWS, NOON, facts, person

PUSH, SMS, EMAIL = Channel.PUSH, Channel.SMS, Channel.EMAIL
TEN = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)


def asked(order: tuple[Channel, ...] = (PUSH, SMS, EMAIL), who: Any = None, **changes: Any) -> Facts:
    way = Itinerary(routing=Routing.ESCALATE, order=order, escalate_after=TEN)
    policy = Policy(NEWS, opt_in=False, is_critical=False, itinerary=way, quiet=changes.pop("quiet", None))
    return facts(person(**(who or {})), policy=policy, **changes)


def told(decided: Facts, at: datetime = NOON) -> dict[Channel, str]:
    """What becomes of each channel, in a word: send, the minutes until it is its turn, or why not."""
    words = {}
    for one in plan(decided, at).decisions:
        match one.verdict:
            case Send():
                words[one.candidate.channel] = "send"
            case Later(until=until, after=after):
                words[one.candidate.channel] = f"{(until - at) / MINUTE:.0f} after {after}"
            case Drop(reason=reason):
                words[one.candidate.channel] = reason.value
    return words


@pytest.mark.parametrize(
    ("order", "who", "expected"),
    [
        ((PUSH, SMS, EMAIL), {}, {PUSH: "send", SMS: "10 after push", EMAIL: "20 after sms"}),
        ((EMAIL, SMS, PUSH), {}, {EMAIL: "send", SMS: "10 after email", PUSH: "20 after sms"}),
        # who cannot be reached by one is not waited for there
        ((PUSH, SMS, EMAIL), {"phone": ""}, {PUSH: "send", SMS: "no_address", EMAIL: "10 after push"}),
        ((PUSH, SMS, EMAIL), {"devices": ()}, {PUSH: "no_address", SMS: "send", EMAIL: "10 after sms"}),
        (
            (PUSH, SMS, EMAIL),
            {"choices": {(None, SMS): False}},
            {PUSH: "send", SMS: "opted_out", EMAIL: "10 after push"},
        ),
        # what the order leaves out is not taken, unless nothing else reaches the person
        ((PUSH, SMS), {}, {PUSH: "send", SMS: "10 after push", EMAIL: "routed"}),
        ((PUSH, SMS), {"devices": (), "phone": ""}, {PUSH: "no_address", SMS: "no_address", EMAIL: "send"}),
        ((PUSH,), {"devices": ()}, {PUSH: "no_address", SMS: "send", EMAIL: "routed"}),
    ],
)
def test_one_channel_goes_and_the_others_follow_in_their_order(
    order: tuple[Channel, ...], who: dict[str, Any], expected: dict[Channel, str]
) -> None:
    assert told(asked(order, who)) == expected


def test_a_channel_that_is_held_counts_as_available_and_the_others_wait_for_it() -> None:
    until_two = QuietHours(NOON.time(), NOON.replace(hour=14).time())

    verdicts = told(asked(who={"time_zone": "UTC"}, quiet=until_two))
    in_time = [int(verdicts[channel].split(" ")[0]) for channel in (SMS, EMAIL)]

    assert verdicts[PUSH] == "send"
    assert 130 <= in_time[0] < 145
    assert in_time[1] == in_time[0] + 10


def test_a_later_moment_is_where_the_time_begins() -> None:
    later = asked(send_at=NOON + timedelta(hours=1))

    assert told(later)[SMS] == "70 after push"


def push(state: DeliveryState, **changes: Any) -> Tried:
    return Tried(PUSH, state, **{"attempt": 1, **changes})


S = DeliveryState
SENT_IN_TIME, SENT_LATE = NOON - TEN, NOON - timedelta(minutes=4)


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        # that somebody took it is no success, and that it has had its time is what counts
        ((push(S.SENT, sent_at=SENT_IN_TIME),), Onward("push")),
        ((push(S.SENT, sent_at=SENT_LATE),), Wait(NOON + timedelta(minutes=6))),
        # one of several is enough, and heard of is heard of
        ((push(S.DELIVERED), push(S.FAILED)), Heard(PUSH)),
        ((push(S.SENT, sent_at=SENT_IN_TIME, is_heard=True),), Heard(PUSH)),
        ((push(S.FAILED, is_heard=True),), Heard(PUSH)),
        # nothing to be expected any more
        ((push(S.FAILED), push(S.FAILED)), Onward("push failed")),
        ((push(S.EXPIRED),), Onward("push failed")),
        ((), Onward("")),
        # tried in vain, or in doubt: it has had its time
        ((push(S.RETRYING, due_at=NOON + MINUTE),), Onward("push")),
        ((push(S.UNCERTAIN),), Onward("push")),
        # has not left yet
        ((push(S.QUEUED, attempt=0),), Wait(NOON + TEN)),
        ((push(S.SCHEDULED, attempt=0, due_at=NOON + timedelta(hours=1)),), Wait(NOON + timedelta(minutes=70))),
        ((push(S.SENDING),), Wait(NOON + timedelta(seconds=5))),
        ((push(S.FAILED), push(S.QUEUED, attempt=0)), Wait(NOON + TEN)),
        ((push(S.SENT, sent_at=SENT_IN_TIME), push(S.SENT, sent_at=SENT_LATE)), Wait(NOON + timedelta(minutes=6))),
    ],
)
def test_what_was_tried_tells_whether_to_go_on(tried: tuple[Tried, ...], expected: object) -> None:
    assert judged(tried, (), Patience(TEN), NOON) == expected


def test_what_was_tried_earlier_may_still_arrive_but_is_not_waited_for() -> None:
    failed = Tried(SMS, S.FAILED, 1)

    assert judged([failed], [push(S.SENT, sent_at=SENT_LATE)], Patience(TEN), NOON) == Onward("sms failed")
    assert judged([failed], [push(S.DELIVERED)], Patience(TEN), NOON) == Heard(PUSH)


@pytest.mark.parametrize("state", [S.QUEUED, S.SENDING, S.SENT])
def test_critical_messages_wait_for_nothing_more(state: DeliveryState) -> None:
    found = judged([push(state, sent_at=SENT_LATE)], (), Patience(TEN, is_critical=True), NOON)

    assert found == Onward("push")


some_tried = st.builds(
    Tried,
    channel=st.just(PUSH),
    state=st.sampled_from(DeliveryState),
    attempt=st.integers(0, 3),
    sent_at=st.none() | st.integers(-60, 0).map(lambda minutes: NOON + minutes * MINUTE),
    due_at=st.none() | st.integers(-60, 60).map(lambda minutes: NOON + minutes * MINUTE),
    is_heard=st.booleans(),
)


@given(st.lists(some_tried, max_size=3), st.lists(some_tried, max_size=3), st.integers(0, 30), st.booleans())
def test_what_arrived_is_the_end_what_failed_is_no_reason_to_wait_and_no_wait_ends_in_the_past(
    tried: list[Tried], earlier: list[Tried], minutes: int, is_critical: bool
) -> None:
    found = judged(tried, earlier, Patience(minutes * MINUTE, is_critical=is_critical), NOON)

    has_arrived = any(one.is_heard or one.state is S.DELIVERED for one in (*tried, *earlier))
    assert isinstance(found, Heard) == has_arrived
    if isinstance(found, Wait):
        assert found.until > NOON
        assert not all(one.state in ENDED for one in tried)
        assert not is_critical


people = st.builds(
    person,
    email=st.sampled_from(["", "jimin@example.com"]),
    phone=st.sampled_from(["", "+821012345678"]),
    devices=st.sampled_from([(), person().devices]),
    choices=st.dictionaries(st.tuples(st.sampled_from([None, NEWS]), st.sampled_from([None, *Channel])), st.booleans()),
)
orders = st.permutations(list(Channel)).flatmap(lambda all_: st.integers(1, 3).map(lambda n: tuple(all_[:n])))


@given(orders, people, st.integers(0, 60))
def test_every_channel_stands_there_once_one_goes_first_and_the_others_follow_one_by_one(
    order: tuple[Channel, ...], who: Any, minutes: int
) -> None:
    way = Itinerary(routing=Routing.ESCALATE, order=order, escalate_after=minutes * MINUTE)
    usual = Policy(NEWS, opt_in=False, is_critical=False)
    could = {
        one.candidate.channel for one in plan(facts(who, policy=usual), NOON).decisions if isinstance(one.verdict, Send)
    }

    decisions = plan(facts(who, policy=Policy(NEWS, opt_in=False, is_critical=False, itinerary=way)), NOON).decisions

    assert [one.candidate.channel for one in decisions] == list(Channel)
    first = [one.candidate.channel for one in decisions if isinstance(one.verdict, Send)]
    assert len(first) == bool(could)
    turns = sorted(
        [
            (one.verdict.until, order.index(one.candidate.channel), one.candidate.channel, one.verdict.after)
            for one in decisions
            if isinstance(one.verdict, Later)
        ],
        key=lambda turn: turn[:2],
    )
    assert [channel for _, _, channel, _ in turns] == [one for one in order if one in could and one not in first]
    assert [until for until, *_ in turns] == [NOON + (n + 1) * minutes * MINUTE for n in range(len(turns))]
    assert [after for *_, after in turns] == [*first, *[channel for _, _, channel, _ in turns]][: len(turns)]
    routed = {
        one.candidate.channel
        for one in decisions
        if isinstance(one.verdict, Drop) and one.verdict.reason is Reason.ROUTED
    }
    assert routed == could - {*first} - {channel for _, _, channel, _ in turns}
