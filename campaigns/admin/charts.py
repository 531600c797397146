"""A run over time, drawn by the server: lines of what was counted, with the same as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

#: Of the drawing, in its own units.
WIDTH, HEIGHT = 720, 170
#: What is drawn, in the order of the legend; what lies on top comes last.
LINES: Final = ("planned", "sent", "delivered", "failed", "clicked")
#: Points that a line has at most, and lines of the table.
_MOST_POINTS: Final = 120
_MOST_ROWS: Final = 24


@dataclass(frozen=True, slots=True)
class Chart:
    """`lines` by their names: points as SVG wants them. `ticks`: where along the bottom, and the time there."""

    lines: Sequence[tuple[str, str]] = ()
    ticks: Sequence[tuple[int, str]] = ()
    rows: Sequence[tuple[str, Sequence[str]]] = ()
    highest: int = 0
    names: Sequence[str] = LINES
    width: int = WIDTH
    height: int = HEIGHT


def drawn(samples: Sequence[tuple[datetime, Mapping[str, Any]]], clock: tzinfo) -> Chart:
    """The samples of a run, by a clock; nothing where there are not two."""
    if len(samples) < 2:
        return Chart()
    points = _thinned(samples, _MOST_POINTS)
    begin, end = points[0][0], points[-1][0]
    span = (end - begin).total_seconds() or 1.0
    highest = max(counts.get(name, 0) for _, counts in points for name in LINES) or 1
    places = [(at - begin).total_seconds() / span * WIDTH for at, _ in points]
    lines = [
        (
            name,
            " ".join(
                f"{x:.1f},{HEIGHT - counts.get(name, 0) / highest * HEIGHT:.1f}"
                for x, (_, counts) in zip(places, points, strict=True)
            ),
        )
        for name in LINES
    ]
    ticks = [(WIDTH * part // 4, _clock(begin + (end - begin) * part / 4, clock, end - begin)) for part in range(5)]
    rows = [
        (_clock(at, clock, end - begin), [f"{counts.get(name, 0):,}" for name in LINES])
        for at, counts in _thinned(samples, _MOST_ROWS)
    ]
    return Chart(lines, ticks, rows, highest)


def _thinned(samples: Sequence[Any], most: int) -> Sequence[Any]:
    """Some of them, evenly, the first and the last among them."""
    if len(samples) <= most:
        return samples
    last = len(samples) - 1
    return [samples[last * one // (most - 1)] for one in range(most)]


def _clock(at: datetime, clock: tzinfo, span: Any) -> str:
    seen = at.astimezone(clock)
    return f"{seen:%m-%d %H:%M}" if span.total_seconds() > 86_400 else f"{seen:%H:%M:%S}"
