"""What the page of a run shows: how far it is, arm by arm, over time, and what its experiment says so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from campaigns import deciding, progress
from campaigns.admin.charts import Chart, drawn
from campaigns.admin.expecting import Expectation, compared
from campaigns.admin.when import in_a_while
from campaigns.experiments.verdict import Verdict
from campaigns.models import Run
from campaigns.progress import Counts, Progress
from campaigns.reports import comparing
from campaigns.vocabulary import HOLD_OUT, UNFINISHED, RunState

LOOKS: Final[Mapping[RunState, str]] = {
    RunState.STARTING: "bongsu-good",
    RunState.RUNNING: "bongsu-good",
    RunState.DECIDING: "bongsu-good",
    RunState.PAUSED: "bongsu-warn",
    RunState.FINISHED: "bongsu-good",
    RunState.CANCELLED: "bongsu-bad",
    RunState.SKIPPED: "bongsu-warn",
    RunState.FAILED: "bongsu-bad",
}
#: What is counted, and of what it is told as a part.
_COLUMNS: Final[Mapping[str, str]] = {
    "people": "",
    "planned": "",
    "suppressed": "",
    "sent": "planned",
    "delivered": "told",
    "failed": "planned",
    "opened": "reached",
    "clicked": "reached",
    "converted": "reached",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, and which part it is of another, in percent; empty where that says nothing."""

    text: str
    percent: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One arm, or all of them."""

    name: str
    template: str
    cells: Sequence[Cell]
    is_winner: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the page shows of a run's progress. `says` changes seldom: it is read out."""

    run: Run
    look: str
    progress: Progress
    says: str
    columns: Sequence[str]
    lines: Sequence[Line]
    chart: Chart
    clock: ZoneInfo
    is_over: bool
    time_left: str = ""
    waiting_for: str = ""
    verdict: Verdict | None = None
    templates: Mapping[str, str] = field(default_factory=dict)
    expected: Sequence[Expectation] = ()


def shown(run: Run, at: datetime) -> Shown:
    """What there is to see of a run. Of roll-ups alone: a fixed number of statements, whatever its size."""
    arms = list(run.arms.order_by("letter"))
    templates = {arm.letter: arm.template for arm in arms}
    far = progress.of(run, at)
    clock = run.campaign.clock
    samples = list(run.samples.order_by("at").values_list("at", "counts"))
    lines = [
        _line(run, letter, templates[letter], counts) for letter, counts in sorted(far.arms.items(), key=_hold_out_last)
    ]
    if len(lines) > 1:
        reached = sum(one.reached for letter, one in far.arms.items() if letter != HOLD_OUT)
        lines.append(Line("all", "", _cells(far.counts, reached)))
    return Shown(
        run=run,
        look=LOOKS[far.state],
        progress=far,
        says=_says(far),
        columns=list(_COLUMNS),
        lines=lines,
        chart=drawn(samples, clock),
        clock=clock,
        is_over=far.state not in UNFINISHED,
        time_left=in_a_while(timedelta(seconds=far.seconds_left)) if far.seconds_left else "",
        waiting_for=_waiting_for(run, far, at),
        verdict=_verdict(run, far.arms),
        templates=templates,
        expected=compared(run.estimate, far),
    )


def _hold_out_last(of: tuple[str, Counts]) -> tuple[bool, str]:
    return of[0] == HOLD_OUT, of[0]


def _line(run: Run, letter: str, template: str, counts: Counts) -> Line:
    if letter == HOLD_OUT:
        nothing = [Cell("–")] * (len(_COLUMNS) - 1)
        return Line("hold-out", "nothing, to be compared with", [Cell(f"{counts.people:,}"), *nothing])
    return Line(letter, template, _cells(counts, counts.reached), is_winner=run.winner == letter)


def _cells(counts: Counts, reached: int) -> list[Cell]:
    wholes = {"": 0, "planned": counts.planned, "sent": counts.sent, "told": counts.told, "reached": reached}
    cells = []
    for name, of in _COLUMNS.items():
        count, whole = getattr(counts, name), wholes[of]
        if name == "delivered" and counts.sent and not counts.told:
            cells.append(Cell("–"))
            continue
        cells.append(Cell(f"{count:,}", f"{100 * count / whole:.1f} %" if whole and count else ""))
    return cells


def _says(far: Progress) -> str:
    """For whoever listens: told anew at every tenth."""
    if far.state not in UNFINISHED:
        return f"The run is {far.state}."
    return f"The run is {far.state}, {10 * int(far.percent // 10)} % done."


def _waiting_for(run: Run, far: Progress, at: datetime) -> str:
    campaign = run.campaign
    match far.state:
        case RunState.DECIDING if run.tested_at:
            looks = deciding.looks(run.tested_at, campaign.decide_after_hours, campaign.decide_by_hours)
            coming = [f"in {in_a_while(one - at)}" for one in looks if one > at] or ["now"]
            rest = f"{run.people - far.handled:,} people wait for the better variant"
            sure = f" {coming[0]} where one is sure enough, and" if len(coming) > 1 else ""
            return f"The test has gone out. {rest}: it is chosen{sure} at the latest {coming[-1]}."
        case RunState.RUNNING | RunState.STARTING if run.next_chunk_at and run.next_chunk_at > at + timedelta(
            minutes=1
        ):
            return f"The next people are planned in {in_a_while(run.next_chunk_at - at)}."
    return ""


def _verdict(run: Run, arms: Mapping[str, Counts]) -> Verdict | None:
    """What the variants show; none where there is one alone, or nothing has left yet."""
    return comparing.judged(run, arms) if len(run.shares) > 1 else None
