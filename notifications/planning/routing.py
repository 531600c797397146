"""By which accounts a delivery goes: the route that fits it best, and an order of that route's accounts. Pure.

Accounts of the same position share deliveries by their weights. Which of them a delivery falls to follows from its id
alone, so that it is the same in every worker and at every attempt, as long as the weights are; a failed attempt is
followed by one through the account that comes next.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Final, Generic, TypeVar
from uuid import UUID
from zlib import crc32

T = TypeVar("T")

#: Below every share that matters: where two bounds are nearer to each other, nothing lies between them.
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """An account on a route, as an operator wrote it."""

    account: str
    position: int
    weight: int


@dataclass(frozen=True, slots=True)
class Written:
    """A route as an operator wrote it; `queue` and `prefix` are empty where it is for all of its channel."""

    queue: str
    prefix: str
    steps: tuple[WrittenStep, ...]


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One of the accounts of a position, and its weight among them at present.

    Accounts of another kind do not take over from it, nor it from them: a sandbox not from the real thing, and the real
    thing not from a sandbox. `of` is None where nobody can take its part.
    """

    of: T | None
    weight: float
    kind: str = ""


#: The accounts of a route by position, the first position first.
Ladder = Sequence[Sequence[Choice[T]]]


# --- which route --------------------------------------------------------------------------------------
def fitting(written: Iterable[Written], queue: str) -> Mapping[str, Written]:
    """Of one channel's routes, those that hold for a queue, by prefix; the one for the queue alone is the better one.

    "" is the prefix of the route for all addresses that no other prefix fits.
    """
    found: dict[str, Written] = {}
    for route in sorted(written, key=lambda route: bool(route.queue)):
        if route.queue in {"", queue} and route.steps:
            found[route.prefix] = route
    return found


def ladder(route: Written, usable: Mapping[str, Choice[T]], health: Mapping[str, float]) -> Ladder[T]:
    """The accounts of a route that can be used. `health` says by what a weight is multiplied, where it is not 1."""
    positions: defaultdict[int, list[Choice[T]]] = defaultdict(list)
    for step in sorted(route.steps, key=lambda step: step.account):
        if step.weight and step.account in usable:
            weight = step.weight * health.get(step.account, 1.0)
            positions[step.position].append(replace(usable[step.account], weight=weight))
    return [choices for _, choices in sorted(positions.items(), key=lambda item: item[0])]


def rivals(written: Iterable[Written]) -> Mapping[str, frozenset[str]]:
    """The accounts that share a position with others, and with which: their weights mean something."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for route in written:
        together: defaultdict[int, set[str]] = defaultdict(set)
        for step in route.steps:
            if step.weight:
                together[step.position].add(step.account)
        for names in together.values():
            for name in names:
                found[name] |= names - {name}
    return {name: frozenset(others) for name, others in found.items() if others}


# --- which order --------------------------------------------------------------------------------------
class Table(Generic[T]):
    """A ladder made ready: every order that can come of it, and for which deliveries.

    A worker asks for each of thousands of deliveries a second, so all of them are worked out beforehand: a delivery's
    place between 0 and 1 then finds its order. Where there is but one order, nobody's place is asked for.
    """

    def __init__(self, ladder: Ladder[T]) -> None:
        rungs = [_orders(choices) for choices in ladder]
        bounds = sorted({bound for rung in rungs for bound, _ in rung})
        kept = [low for low, high in pairwise([*bounds, 1.0]) if high - low > _TINY]
        self._orders = [_of_a_kind([choice for rung in rungs for choice in _at(rung, low)]) for low in kept] or [()]
        self._bounds = kept[1:]

    def order(self, delivery: UUID) -> Sequence[T]:
        """All accounts, the first choice for this delivery first."""
        if not self._bounds:
            return self._orders[0]
        return self._orders[bisect(self._bounds, place(delivery))]


class Directory(Generic[T]):
    """The tables of one queue: by what an address begins with, and one for all others."""

    def __init__(self, usual: Table[T], by_prefix: Mapping[str, Table[T]]) -> None:
        self._usual = usual
        self._by_prefix = by_prefix
        self._lengths = sorted({len(prefix) for prefix in by_prefix}, reverse=True)

    def order(self, delivery: UUID, address: str) -> Sequence[T]:
        """All accounts for a delivery to this address, the first choice first; the longest prefix decides."""
        for length in self._lengths:
            table = self._by_prefix.get(address[:length])
            if table:
                return table.order(delivery)
        return self._usual.order(delivery)


def place(delivery: UUID) -> float:
    """Where a delivery stands between 0 and 1: scattered evenly, and always the same for the same id."""
    return crc32(str(delivery).encode()) / 2**32


def starting_after(order: Sequence[T], failed: T) -> Sequence[T]:
    """The same accounts, those after `failed` first and it last: each gets its turn before one gets its second."""
    if failed not in order:
        return order
    after = order.index(failed) + 1
    return [*order[after:], *order[:after]]


def starting_with(order: Sequence[T], account: T) -> Sequence[T]:
    """The same accounts, `account` and those after it first."""
    place = order.index(account)
    return [*order[place:], *order[:place]]


_Rung = list[tuple[float, tuple[Choice[T], ...]]]


def _of_a_kind(choices: Sequence[Choice[T]]) -> tuple[T, ...]:
    """Those that may take over from the first one; who stands in for several of them, once."""
    alike = {id(choice.of): choice.of for choice in choices if choice.kind == choices[0].kind}
    return tuple(of for of in alike.values() if of is not None)


def _orders(choices: Sequence[Choice[T]]) -> _Rung[T]:
    """The orders of the accounts of one position, each with the place from which on it holds.

    The first is drawn by weight, the second by weight from the others, so that those who take over for one share what
    was its, too. The rest follow by weight.
    """
    if len(choices) == 1:
        return [(0.0, (choices[0],))]
    found: _Rung[T] = []
    for first, low, share in _shares(choices):
        others = [choice for choice in choices if choice is not first]
        for second, start, _ in _shares(others):
            rest = sorted((choice for choice in others if choice is not second), key=lambda choice: -choice.weight)
            found.append((low + start * share, (first, second, *rest)))
    return found


def _shares(choices: Sequence[Choice[T]]) -> Iterable[tuple[Choice[T], float, float]]:
    """Every choice with the place at which its share begins, and how large that is."""
    total = sum(choice.weight for choice in choices)
    starts = accumulate((choice.weight / total for choice in choices), initial=0.0)
    return [(choice, start, choice.weight / total) for choice, start in zip(choices, starts, strict=False)]


def _at(rung: _Rung[T], place: float) -> tuple[Choice[T], ...]:
    """The order that holds at a place."""
    return rung[bisect([bound for bound, _ in rung], place) - 1][1]
