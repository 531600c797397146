"""Charts as SVG, written by hand: two kinds, no library."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 260, 64, 36
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#555}.title{font-size:14px;fill:#222}"
    ".grid{stroke:#ddd}.line{fill:none;stroke:#b3421b;stroke-width:2}.area{fill:#b3421b22}"
    "@media(prefers-color-scheme:dark){text{fill:#aaa}.title{fill:#eee}.grid{stroke:#444}}"
)


def throughput(series: Sequence[tuple[float, int]], title: str, file: Path) -> None:
    """Deliveries a second over the seconds of a run, from (epoch seconds, done so far)."""
    start = series[0][0]
    points = [
        (after[0] - start, (after[1] - before[1]) / max(after[0] - before[0], 0.001))
        for before, after in pairwise(series)
    ]
    _write(file, title, points, ("seconds", "deliveries/s"))


def distribution(milliseconds: Sequence[float], title: str, file: Path) -> None:
    """The share of requests that took at most so long."""
    ordered = sorted(milliseconds)
    points = [(value, (place + 1) / len(ordered) * 100) for place, value in enumerate(ordered)]
    _write(file, title, points, ("milliseconds", "% at most"))


def _write(file: Path, title: str, points: Sequence[tuple[float, float]], axes: tuple[str, str]) -> None:
    right = max((x for x, _ in points), default=1) or 1
    top = max((y for _, y in points), default=1) * 1.1 or 1
    width, height = _WIDTH - _LEFT - 16, _HEIGHT - _BOTTOM - 40

    def place(x: float, y: float) -> str:
        return f"{_LEFT + x / right * width:.1f},{40 + height - y / top * height:.1f}"

    path = " ".join(place(x, y) for x, y in points)
    grid = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 16}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{top * share:,.0f}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
        for y in [40 + height - share * height]
    )
    ticks = "".join(
        f'<text x="{_LEFT + share * width:.1f}" y="{_HEIGHT - 16}" text-anchor="middle">{right * share:,.1f}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
        f"<style>{_STYLE}</style>"
        f'<text class="title" x="{_LEFT}" y="22">{title}</text>{grid}{ticks}'
        f'<text x="{_WIDTH - 16}" y="{_HEIGHT - 2}" text-anchor="end">{axes[0]}</text>'
        f'<text x="8" y="36">{axes[1]}</text>'
        f'<polyline class="line" points="{path}"/></svg>\n'
    )
