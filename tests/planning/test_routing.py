"""By which account a delivery goes follows from the route, the weights and its id, and from nothing else."""

from collections import Counter
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.planning.routing import (
    Choice,
    Directory,
    Table,
    Written,
    WrittenStep,
    fitting,
    ladder,
    rivals,
    starting_after,
)

ids = st.uuids(version=None)
weights = st.floats(min_value=0.05, max_value=1000)
ladders = st.lists(st.lists(weights, min_size=1, max_size=4), max_size=3)


def table(*positions: dict[str, float]) -> Table[str]:
    return Table([[Choice(name, weight) for name, weight in position.items()] for position in positions])


def written(prefix: str = "", queue: str = "", *steps: tuple[str, int, int]) -> Written:
    return Written(queue, prefix, tuple(WrittenStep(*step) for step in steps or (("a", 1, 100),)))


def numbered(many: int) -> list[UUID]:
    return [UUID(int=number << 64 | number * 7919) for number in range(many)]


# --- which route --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "account"),
    [
        ("+14155550100", "california"),
        ("+12125550100", "america"),
        ("+821012345678", "korea"),
        ("+491701234567", "elsewhere"),
        ("+1", "america"),
        ("+", "elsewhere"),
        ("", "elsewhere"),
    ],
)
def test_the_longest_prefix_decides(address: str, account: str) -> None:
    named = {"+1": "america", "+1415": "california", "+82": "korea"}
    directory = Directory(table({"elsewhere": 1}), {prefix: table({name: 1}) for prefix, name in named.items()})

    assert list(directory.order(UUID(int=1), address)) == [account]


def test_a_platform_s_own_route_comes_before_that_for_all_of_push() -> None:
    routes = [written("", "ios", ("mine", 1, 1)), written("", "", ("all", 1, 1)), written("", "web", ("other", 1, 1))]

    assert fitting(routes, "ios")[""].steps[0].account == "mine"
    assert fitting(routes, "android")[""].steps[0].account == "all"


def test_a_route_that_names_nobody_is_no_route() -> None:
    assert fitting([Written("ios", "", ()), written("", "", ("all", 1, 1))], "ios")[""].steps[0].account == "all"
    assert fitting([Written("", "", ())], "ios") == {}


# --- which order --------------------------------------------------------------------------------------
@given(ladders, ids)
def test_every_account_has_its_place_and_none_leaves_its_position(positions: list[list[float]], delivery: UUID) -> None:
    named = [
        {f"{number}-{place}": weight for place, weight in enumerate(position)}
        for number, position in enumerate(positions)
    ]

    order = list(table(*named).order(delivery))

    assert sorted(order) == sorted(name for position in named for name in position)
    assert [name[0] for name in order] == sorted(name[0] for name in order)


@given(ladders, ids)
def test_the_same_delivery_always_gets_the_same_order(positions: list[list[float]], delivery: UUID) -> None:
    named = [{f"{n}-{place}": weight for place, weight in enumerate(weights)} for n, weights in enumerate(positions)]

    assert table(*named).order(delivery) == table(*named).order(UUID(str(delivery)))


@pytest.mark.parametrize(
    "shares",
    [
        {"a": 70, "b": 30},
        {"a": 1, "b": 1},
        {"a": 50, "b": 30, "c": 20},
        {"a": 100, "b": 5},
        {"a": 9, "b": 9, "c": 9, "d": 9},
    ],
)
def test_accounts_of_one_position_share_by_their_weights(shares: dict[str, float]) -> None:
    of = table(shares)
    firsts = Counter(of.order(delivery)[0] for delivery in numbered(20_000))

    total = sum(shares.values())
    for name, weight in shares.items():
        assert firsts[name] / 20_000 == pytest.approx(weight / total, abs=0.015)


def test_those_who_take_over_for_one_share_what_was_its() -> None:
    of = table({"a": 50, "b": 30, "c": 20})
    orders = [of.order(delivery) for delivery in numbered(20_000)]

    seconds = Counter(order[1] for order in orders if order[0] == "a")
    assert seconds["b"] / seconds.total() == pytest.approx(0.6, abs=0.02)
    assert {tuple(order) for order in orders} == set(permutations("abc"))


@given(ids, st.floats(min_value=0.05, max_value=1))
def test_less_weight_takes_deliveries_away_and_gives_none(delivery: UUID, factor: float) -> None:
    before, after = table({"a": 100, "b": 100}).order(delivery), table({"a": 100 * factor, "b": 100}).order(delivery)

    assert after[0] == before[0] or (before[0], after[0]) == ("a", "b")


def test_a_sandbox_never_takes_over_from_the_real_thing_nor_the_other_way_round() -> None:
    real, spare = Choice("real", 1), Choice("spare", 1)
    first, second = Choice("sandbox", 1, kind="stand-in"), Choice("other sandbox", 1, kind="stand-in")

    assert list(Table([[real], [first], [spare]]).order(UUID(int=1))) == ["real", "spare"]
    assert list(Table([[first], [real], [second]]).order(UUID(int=1))) == ["sandbox", "other sandbox"]


def test_whose_stand_in_cannot_send_is_stood_in_for_by_nobody() -> None:
    locked: Choice[str] = Choice(None, 1, kind="stand-in")

    assert list(Table([[locked], [Choice("real", 1)]]).order(UUID(int=1))) == []


def test_who_stands_in_for_several_has_one_place() -> None:
    sandbox = "sandbox"
    both = [[Choice(sandbox, 1, kind="stand-in")], [Choice(sandbox, 1, kind="stand-in")]]

    assert list(Table(both).order(UUID(int=1))) == ["sandbox"]


def test_nobody_at_all_is_an_order_too() -> None:
    assert list(table().order(UUID(int=5))) == []


@given(st.permutations("abcd"), st.sampled_from("abcdx"))
def test_a_retry_begins_with_the_one_after_the_failed_and_forgets_nobody(order: list[str], failed: str) -> None:
    again = list(starting_after(order, failed))

    assert sorted(again) == sorted(order)
    if failed in order:
        assert again[-1] == failed
    else:
        assert again == order


def test_each_gets_its_turn_before_one_gets_its_second() -> None:
    order, tried = ["a", "b", "c"], ["a"]
    for _ in range(5):
        tried.append(starting_after(order, tried[-1])[0])

    assert tried == ["a", "b", "c", "a", "b", "c"]


# --- from what was written ----------------------------------------------------------------------------
def test_a_ladder_holds_what_can_be_used_with_its_weight_at_present() -> None:
    route = written("", "", ("c", 2, 10), ("b", 1, 30), ("a", 1, 70), ("off", 1, 50), ("none", 1, 0))

    rungs = ladder(route, {name: Choice(name.upper(), 1) for name in ("a", "b", "c", "none")}, {"a": 0.5})

    assert [[(choice.of, choice.weight) for choice in rung] for rung in rungs] == [
        [("A", 35.0), ("B", 30.0)],
        [("C", 10.0)],
    ]


def test_only_those_who_share_a_position_are_rivals() -> None:
    first = written("", "", ("a", 1, 70), ("b", 1, 30), ("c", 2, 10), ("none", 1, 0))
    second = written("+82", "", ("a", 1, 1), ("d", 1, 1))

    assert rivals([first, second]) == {"a": {"b", "d"}, "b": {"a"}, "d": {"a"}}
