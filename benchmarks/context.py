"""What every scenario is given."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import people
from benchmarks.memory import Sampler
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage

#: Deliveries that open connections and fill caches and statistics before anything is timed.
WARM_UP: Final = 2_000

#: What a scenario measured, by key.
Values = dict[str, float]


@dataclass(slots=True)
class Context:
    """The running platform, how much to do, and where charts go."""

    stage: Stage
    sizes: Sizes
    sampler: Sampler
    charts: Path
    console: Console
    _brought_in: set[str] = field(default_factory=set, init=False)
    _is_warm: bool = field(default=False, init=False)

    @contextmanager
    def bar(self, text: str, total: int) -> Iterator["Bar"]:
        """A progress bar, shown while it is open."""
        columns = (TextColumn(f"{text:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            yield Bar(progress, total)

    def bring_in(self, prefix: str, count: int, *, address: str = "device") -> None:
        """Have the people of a prefix there; only the first call imports them."""
        if prefix not in self._brought_in:
            with self.bar(f"importing {prefix}…", count):
                people.bring_in(self.stage, prefix, count, address=address)
            self._brought_in.add(prefix)

    def empty_log(self) -> None:
        """Begin with an empty log, warm and with statistics, as far as nothing of it is timed."""
        self.stage.empty_log()
        self._is_warm = False
        self.warm_up()
        # emptying forgot them, and would make what is compared with this slow beginning look good
        self.stage.rows("ANALYZE notifications_delivery, notifications_deliveryevent")

    def warm_up(self) -> None:
        """Send a little that is not timed, unless something was sent since the log was emptied."""
        self.bring_in("warm-", WARM_UP)
        if not self._is_warm:
            self.send("warm-", "push", WARM_UP, "warming up")

    def send(self, prefix: str, channel: str, count: int, text: str) -> list[tuple[float, int]]:
        """One campaign until all of it is recorded, checked against the providers; the time it was accepted first."""
        since = self.stage.now()
        self.stage.begin()
        with self.bar(text, count) as bar:
            self.stage.campaign(prefix, channel)
            accepted_at = time.time()
            series = self.stage.until_done(count, since, progress=bar.at)
        self.stage.check(since, count)
        self._is_warm = True
        return [(accepted_at, 0), *series]


class Bar:
    """One progress bar."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total)

    def at(self, done: int) -> None:
        """So much is done."""
        self._progress.update(self._task, completed=done)


def rate(series: list[tuple[float, int]]) -> float:
    """Deliveries a second, from acceptance until the last one is recorded."""
    return series[-1][1] / (series[-1][0] - series[0][0])
