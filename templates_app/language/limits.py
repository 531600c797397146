"""What a text may cost: time, turns, and the size of what it makes on the way. Pure, but for the clock it is given.

A deadline that is looked at, not a signal: signals reach main threads alone, and break whatever they interrupt. Every
node, path, filter and loop asks; nothing between two looks takes longer than what `LARGEST` allows.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from liquid import BoundTemplate, RenderContext
from liquid.exceptions import LoopIterationLimitError, ResourceLimitError
from liquid.filter import sequence_filter
from liquid.undefined import UNDEFINED, Undefined

#: Seconds of work that one text may take. A usual one takes some 10 µs.
PATIENCE: Final = 0.025
#: Turns of all loops of a text together.
MOST_TURNS: Final = 10_000
#: Characters and items that may enter or leave a filter.
LARGEST: Final = 100_000
#: Bits of a whole number: more than enough for an account's balance in any currency's smallest coin.
_MOST_BITS: Final = 256
_NAMED_BY_LIQUID: Final = frozenset({"context", "environment"})


class OutOfTime(ResourceLimitError):
    """The text takes too long."""


class TooLarge(ResourceLimitError):
    """What a filter takes or makes is too large."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds on the wall, and seconds that this thread has worked."""

    wall: Callable[[], float] = time.perf_counter
    worked: Callable[[], float] = time.thread_time


class Watch:
    """The time and the turns of one rendering, shared by all parts of it.

    A busy machine is not the text's fault: what counts is the time that this thread has worked. To ask for that takes
    a call into the kernel, so the clock on the wall is asked first.
    """

    __slots__ = ("_clock", "_ends_at", "_may_work_until", "_turns", "_worked")

    def __init__(self, clock: Clock) -> None:
        self._clock, self._worked = clock.wall, clock.worked
        self._ends_at = self._clock() + PATIENCE
        self._may_work_until = self._worked() + PATIENCE
        self._turns = 0

    def look(self) -> None:
        """Raises `OutOfTime` when the time is over."""
        if self._clock() > self._ends_at:
            left = self._may_work_until - self._worked()
            if left <= 0:
                raise OutOfTime("out of time", token=None)
            self._ends_at = self._clock() + left

    def turn(self, times: int) -> None:
        """Count what a loop is about to do."""
        self.look()
        self._turns += times
        if self._turns > MOST_TURNS:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)


_CLOCK: Final = Clock()


class WatchedContext(RenderContext):
    """Looks at the watch wherever python-liquid comes by."""

    __slots__ = ("_disabled", "watch")

    watch: Watch

    def __init__(self, template: BoundTemplate, *, parent_context: RenderContext | None = None, **more: Any) -> None:
        inherited = parent_context.watch if isinstance(parent_context, WatchedContext) else None
        self.watch = inherited or Watch(getattr(template.env, "clock", _CLOCK))
        super().__init__(template, parent_context=parent_context, **more)

    @property
    def disabled_tags(self) -> list[str]:
        """Every node reads this before it is rendered, which is the one place that all of them pass."""
        self.watch.look()
        return self._disabled

    @disabled_tags.setter
    def disabled_tags(self, names: list[str]) -> None:
        self._disabled = names

    def get(self, path: list[object], *, token: Any, default: object = UNDEFINED) -> object:
        """A value of the data."""
        self.watch.look()
        return super().get(path, token=token, default=default)

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        """A filter, in time."""
        self.watch.look()
        return super().filter(name, token)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Loops one after the other count as those within each other do."""
        super().raise_for_loop_limit(length)
        self.watch.turn(length)


class WatchedTemplate(BoundTemplate):
    """A text whose rendering is watched."""

    context_class = WatchedContext


def guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that takes and gives nothing larger than `LARGEST`."""
    grows = _GROWING.get(name)

    @wraps(function)
    def run(value: Any, *arguments: Any, **named: Any) -> Any:
        if type(value) is not str or len(value) > LARGEST:
            _weigh(value)
        for argument in arguments:
            _weigh(argument)
        for key, argument in named.items():
            if key not in _NAMED_BY_LIQUID:
                _weigh(argument)
        if grows and grows(value, *arguments) > LARGEST:
            raise TooLarge(f"{name} would make too much", token=None)
        made = function(value, *arguments, **named)
        _weigh(made)
        return made

    if validate := getattr(function, "validate", None):
        vars(run)["validate"] = validate
    return run


def _weigh(value: Any) -> None:
    if weight(value) > LARGEST:
        raise TooLarge("too large", token=None)


def weight(value: Any) -> int:
    """Characters and items, as far as it matters: counting ends where it is too much anyway."""
    total = 0
    waiting = [value]
    while waiting and total <= LARGEST:
        one = waiting.pop()
        if isinstance(one, str):
            total += len(one) + 1
        elif isinstance(one, int):
            total += 1 if one.bit_length() <= _MOST_BITS else LARGEST + 1
        elif isinstance(one, Undefined):  # a mapping by its type, which complains when it is looked into
            total += 1
        elif isinstance(one, Mapping):
            total += len(one) + 1
            if total <= LARGEST:
                waiting.extend(one.values())
        elif isinstance(one, (list, tuple)):
            total += len(one) + 1
            if total <= LARGEST:
                waiting.extend(one)
        elif isinstance(one, range):
            total += len(one)
        else:
            total += 1
    return total - 1 if isinstance(value, str) else total


def _replaced(value: Any, sought: Any = "", by: Any = "") -> int:
    text, old = str(value), str(sought)
    return len(text) + (text.count(old) if old else len(text) + 1) * len(str(by))


def _joined(value: Any, between: Any = " ") -> int:
    return weight(value) + (len(value) if isinstance(value, (list, tuple)) else 1) * len(str(between))


def _split(value: Any, between: Any = "") -> int:
    text, at = str(value), str(between)
    return len(text) + (text.count(at) if at else len(text))


#: Filters whose result can be many times what goes in: how large it would be.
_GROWING: Final[Mapping[str, Callable[..., int]]] = {"replace": _replaced, "join": _joined, "split": _split}


@sequence_filter
def uniq(sequence: Iterable[Any], key: object = None) -> list[object]:
    """Each once. python-liquid compares everything with everything, which takes seconds for a long list."""
    seen: dict[str, object] = {}
    for one in sequence:
        what = one.get(key) if key is not None and isinstance(one, Mapping) else one
        seen.setdefault(json.dumps(what, sort_keys=True, default=str), one)
    return list(seen.values())
