"""What is gathered and what is not, and which messages come of what was gathered."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.channels import Channel
from accounts.policies import Routing
from notifications.planning.digest import Bundle, Item, bundles
from notifications.planning.plan import plan
from notifications.planning.values import Drop, Facts, Gather, Itinerary, Policy, QuietHours, Window
from notifications.vocabulary import Reason
from tests.planning.examples import NEWS, NOON, facts, person

PUSH, SMS, EMAIL = Channel.PUSH, Channel.SMS, Channel.EMAIL
TEN = timedelta(minutes=10)
IN_TEN = Gather(NOON + TEN, "post-1")


def asked(**changes: Any) -> Facts:
    return facts(person(**changes.pop("who", {})), digest=Window("post-1", TEN), **changes)


def test_all_that_would_be_sent_is_gathered_until_the_window_ends() -> None:
    decided = plan(asked(), NOON)

    assert [one.verdict for one in decided.decisions] == [IN_TEN] * 3
    assert decided.gathers
    assert (decided.planned, decided.suppressed) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"who": {"phone": ""}}, Reason.NO_ADDRESS),
        ({"who": {"choices": {(None, SMS): False}}}, Reason.OPTED_OUT),
        ({"suppressed": frozenset({(SMS, "+821012345678")})}, Reason.SUPPRESSED_ADDRESS),
    ],
)
def test_what_is_refused_is_refused_at_once(changes: dict[str, Any], reason: Reason) -> None:
    verdicts = {one.candidate.channel: one.verdict for one in plan(asked(**changes), NOON).decisions}

    refused = verdicts[SMS]
    assert isinstance(refused, Drop)
    assert refused.reason is reason
    assert verdicts[PUSH] == verdicts[EMAIL] == IN_TEN


@pytest.mark.parametrize("routing", list(Routing))
def test_which_channel_it_takes_and_when_it_may_be_heard_is_not_decided_yet(routing: Routing) -> None:
    night = QuietHours(NOON.replace(hour=0).time(), NOON.replace(hour=23).time())
    policy = Policy(NEWS, opt_in=False, is_critical=False, itinerary=Itinerary(routing=routing), quiet=night)

    decided = plan(asked(policy=policy, who={"time_zone": "UTC"}), NOON)

    assert [one.verdict for one in decided.decisions] == [IN_TEN] * 3


def test_a_gathered_decision_says_where_and_until_when() -> None:
    assert IN_TEN.in_words == "post-1, due 2026-03-02 12:10:00 UTC"


def item(number: int, *channels: Channel, **changes: Any) -> Item:
    """The `number`-th thing, gathered for these channels."""
    stands = {channel: UUID(int=number * 10 + place) for place, channel in enumerate(Channel) if channel in channels}
    return Item(UUID(int=number), NOON + timedelta(seconds=number), stands, **changes)


def test_items_with_the_same_channels_are_one_message_the_oldest_first() -> None:
    first, second = item(1, PUSH, SMS), item(2, PUSH, SMS)

    for routing in Routing:
        assert bundles([second, first], routing) == [Bundle((PUSH, SMS), (first, second))]


def test_where_every_channel_is_taken_each_says_what_was_gathered_for_it() -> None:
    both, one = item(1, SMS, EMAIL), item(2, SMS)

    assert bundles([both, one], Routing.ALL) == [Bundle((SMS,), (both, one)), Bundle((EMAIL,), (both,))]


def test_where_one_is_taken_those_with_the_same_choice_go_together() -> None:
    both, one = item(1, SMS, EMAIL), item(2, SMS)

    assert bundles([both, one], Routing.FIRST) == [Bundle((SMS, EMAIL), (both,)), Bundle((SMS,), (one,))]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [((1, 2), 2), ((2, 1), 2), ((1, None), None), ((None,), None)],
)
def test_a_digest_is_of_use_as_long_as_one_item_is(hours: tuple[int | None, ...], expected: int | None) -> None:
    moments = [NOON + timedelta(hours=one) if one else None for one in hours]
    items = tuple(item(number, SMS, expires_at=moment) for number, moment in enumerate(moments))

    assert Bundle((SMS,), items).expires_at == (NOON + timedelta(hours=expected) if expected else None)


GATHERED = st.lists(st.sets(st.sampled_from(list(Channel)), min_size=1), min_size=1, max_size=12).map(
    lambda some: [item(number, *channels) for number, channels in enumerate(some, start=1)]
)


@given(items=GATHERED.flatmap(st.permutations), routing=st.sampled_from(list(Routing)))
def test_every_item_goes_by_each_of_its_channels_once_and_by_no_other(items: list[Item], routing: Routing) -> None:
    made = bundles(items, routing)

    told = Counter((channel, one.id) for bundle in made for channel in bundle.channels for one in bundle.items)
    assert told == Counter((channel, one.id) for one in items for channel in one.gathered)
    for bundle in made:
        assert list(bundle.items) == sorted(bundle.items, key=lambda one: one.at)


@given(items=GATHERED.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_in_which_they_are_read_changes_nothing(items: tuple[list[Item], list[Item]]) -> None:
    one, other = items
    for routing in Routing:
        assert bundles(one, routing) == bundles(other, routing)


@given(items=GATHERED)
def test_where_every_channel_is_taken_none_gets_two_messages(items: list[Item]) -> None:
    channels = [channel for bundle in bundles(items, Routing.ALL) for channel in bundle.channels]

    assert len(channels) == len(set(channels))


@given(items=GATHERED)
def test_where_one_is_chosen_no_item_is_told_of_twice(items: list[Item]) -> None:
    told = [one.id for bundle in bundles(items, Routing.FIRST) for one in bundle.items]

    assert sorted(told) == sorted(one.id for one in items)
