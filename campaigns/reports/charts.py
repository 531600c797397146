"""What a report is drawn from: places and sizes for a page, in units of the drawing. Pure.

A chart has one colour, and its words beside it: nobody has to tell colours apart to read it.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from campaigns.reports.comparing import Variant
from campaigns.reports.counting import Counted

#: A chart's own units.
WIDTH, HEIGHT = 720, 64
#: Of a bar: where there are few, they are bars all the same.
_WIDEST: Final = 48.0
#: Columns of a chart at most, and the widths that one may have.
_MOST_COLUMNS: Final = 60
_SECOND, _MINUTE, _HOUR, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WIDTHS: Final = (
    5 * _SECOND, 10 * _SECOND, 15 * _SECOND, 30 * _SECOND, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE,
    15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 7 * _DAY, 28 * _DAY,
)  # fmt: skip
#: The last moment before another.
_INSTANT: Final = timedelta(microseconds=1)
_NONE: Final = timedelta(0)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: What the words beneath a column take.
_ROOM: Final = 70
#: The way of a message, step by step.
_FUNNEL: Final = ("planned", "sent", "delivered", "opened", "clicked", "converted")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel: how many came so far, and what part that is of the planned and of the step before.

    `count` is None where nobody tells: the next step is then told as a part of the one before.
    """

    name: str
    count: int | None
    of_planned: float
    of_before: float | None

    @property
    def of_planned_text(self) -> str:
        """In percent; a dash where nobody tells."""
        return "–" if self.count is None else percent(self.of_planned)

    @property
    def of_before_text(self) -> str:
        """In percent; a dash for the first step, and after one to which nothing came."""
        return "–" if self.of_before is None else percent(self.of_before)

    @property
    def width(self) -> float:
        """Of its bar, in percent; never more than the whole, whatever the figures say."""
        return round(min(100.0, 100 * self.of_planned), 2)


@dataclass(frozen=True, slots=True)
class Grain:
    """How fine figures are, and from when until before when they are drawn; None: from the first, to the last."""

    least: timedelta = _SECOND
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of a chart."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Panel:
    """A small chart of one figure over time; `highest` is what its tallest column stands for."""

    name: str
    total: int
    highest: int
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures over time, one beneath the other on the same hours; `names` and `rows` are the same as a table.

    `each` says in words what one column spans.
    """

    panels: Sequence[Panel]
    ticks: Sequence[tuple[float, str]]
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]
    each: str


@dataclass(frozen=True, slots=True)
class Whisker:
    """Where the rate of a variant is, and between what the true one lies, in percent of the drawing's width."""

    letter: str
    text: str
    at: float
    low: float
    high: float

    @property
    def span(self) -> float:
        """How wide the band of the true rate is."""
        return round(self.high - self.low, 2)


_FINE: Final = Grain()


def funnel(counted: Counted) -> Sequence[Step]:
    """From what was planned to what it led to."""
    steps: list[Step] = []
    before: int | None = None
    for name in _FUNNEL:
        count = counted.number(name)
        of_planned = (count or 0) / counted.planned if counted.planned else 0.0
        part = counted.rate(name) if name == "delivered" else (count or 0) / before if before else None
        steps.append(Step(name, count, of_planned, None if count is None else part))
        # where only some channels tell of what arrived, more may come after it than is known to have arrived
        before = before if count is None else counted.sent if counted.untold and name == "delivered" else count
    return steps


def whiskers(variants: Sequence[Variant], name: str) -> Sequence[Whisker]:
    """One rate of all variants on a common scale, which ends where the highest may be."""
    parts = {one.letter: one.parts[name] for one in variants if name in one.parts}
    highest = max((part.true.high for part in parts.values()), default=0.0)
    if not highest:
        return []
    scale = 100 / highest
    return [
        Whisker(
            letter,
            f"{percent(part.rate)}, truly between {percent(part.true.low)} and {percent(part.true.high)}",
            round(part.rate * scale, 2),
            round(part.true.low * scale, 2),
            round(part.true.high * scale, 2),
        )
        for letter, part in parts.items()
    ]


def over_time(
    figures: Iterable[tuple[datetime, Mapping[str, int]]],
    names: Sequence[str],
    grain: Grain = _FINE,
    clock: tzinfo = UTC,
) -> Chart | None:
    """A chart of what happened when, with times by a clock; None where nothing did."""
    known = [(at, numbers) for at, numbers in figures if any(numbers.get(name) for name in names)]
    if not known:
        return None
    first, last = min(at for at, _ in known), max(at for at, _ in known)
    before = grain.until - _INSTANT if grain.until else last
    first, last = min(first, grain.since or first), max(last, before)
    width = _width(last - first, grain.least)
    # days and hours begin as the clock shows them; it never parts an hour of UTC, of which more is not known
    epoch = _EPOCH - (clock.utcoffset(first.astimezone(clock).replace(tzinfo=None)) or _NONE) // _HOUR * _HOUR
    sums: dict[str, Counter[int]] = {name: Counter() for name in names}
    begin = (first - epoch) // width
    for at, numbers in known:
        for name in names:
            sums[name][(at - epoch) // width - begin] += numbers.get(name, 0)
    columns = (last - epoch) // width - begin + 1
    labels = [_label(epoch + (begin + place) * width, width, clock) for place in range(columns)]
    rows = [(label, [sums[name][place] for name in names]) for place, label in enumerate(labels)]
    panels = [_panel(name, sums[name], columns) for name in names if any(sums[name].values())]
    every = max(1, -(-columns // 6))
    # the table beside it has the year
    short = [label.removeprefix(f"{first:%Y}-").removeprefix(f"{last:%Y}-") for label in labels]
    ticks = [(round(place * WIDTH / columns, 1), short[place]) for place in range(0, columns, every)]
    ticks = [one for one in ticks if one[0] <= WIDTH - _ROOM] or ticks[:1]
    return Chart(panels, ticks, names, [row for row in rows if any(row[1])], _in_words(width))


def differences(samples: Sequence[tuple[datetime, Mapping[str, int]]]) -> list[tuple[datetime, dict[str, int]]]:
    """What came to each sum between one sample and the next. What shrank, as when a receipt corrects it, is nothing."""
    found, before = [], dict[str, int]()
    for at, sums in samples:
        found.append((at, {name: max(0, number - before.get(name, 0)) for name, number in sums.items()}))
        before = {name: max(number, before.get(name, 0)) for name, number in sums.items()}
    return found


def chance(probability: float) -> str:
    """Cut off, not rounded: nothing is certain, and nothing impossible."""
    if probability > 0.999:
        return "more than 99.9 %"
    return "less than 0.1 %" if probability < 0.001 else f"{math.floor(1000 * probability) / 10:g} %"


def percent(part: float) -> str:
    """12.4 %, and 0.35 % where the digit before the last would be lost."""
    return f"{100 * part:.1f} %" if part >= 0.01 or part == 0 else f"{100 * part:.2f} %"


def _panel(name: str, sums: Counter[int], columns: int) -> Panel:
    highest, width = max(sums.values()), WIDTH / columns
    filled = min(_WIDEST, width - min(2.0, width / 4))
    bars = []
    for place, number in sorted(sums.items()):
        height = number / highest * HEIGHT
        if number:
            drawn = max(1.0, height)
            bars.append(Bar(round(place * width, 2), round(HEIGHT - drawn, 2), round(filled, 2), round(drawn, 2)))
    return Panel(name, sum(sums.values()), highest, bars)


def _width(span: timedelta, least: timedelta) -> timedelta:
    fits = [width for width in _WIDTHS if width >= least and span / width < _MOST_COLUMNS - 1]
    return fits[0] if fits else _WIDTHS[-1]


def _label(at: datetime, width: timedelta, clock: tzinfo) -> str:
    if width >= _DAY:
        # its noon: an hour that the clock was put forward or back makes it no other day
        return f"{(at + _DAY / 2).astimezone(clock):%Y-%m-%d}"
    at = at.astimezone(clock)
    return f"{at:%m-%d %H:%M}" if width >= _MINUTE else f"{at:%H:%M:%S}"


def _in_words(width: timedelta) -> str:
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (_SECOND, "second")):
        if width >= unit:
            number = width // unit
            return f"{number} {name}s" if number > 1 else f"a{'n' if name == 'hour' else ''} {name}"
    return str(width)
