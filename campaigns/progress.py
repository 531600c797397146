"""How far a run is: of the roll-ups, never of the log."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from accounts.channels import Channel
from campaigns.models import Arm, Run, Sample
from campaigns.vocabulary import HOLD_OUT, UNFINISHED, ChunkState, RunState
from notifications.ledger import spending, turnouts
from notifications.models.turnouts import TurnoutState
from notifications.providers.registry import always_tells
from tracking import rollups
from tracking.models import ReactionKind

#: States of what has left and is not known to have failed.
_LEFT: Final = {TurnoutState.SENT, TurnoutState.DELIVERED, TurnoutState.UNCERTAIN}
_ENDED_BADLY: Final = {TurnoutState.FAILED, TurnoutState.EXPIRED, TurnoutState.CANCELLED}
#: The span over which a rate is told, where there are samples of it.
_LOOK_BACK: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the deliveries of a run, or of one arm.

    `planned` are all but the suppressed; `sent` have left, of which `delivered` are known to have arrived. `suppressed`
    counts people and channels that get nothing. `untold` are those of the sent of which nobody tells whether they
    arrive, as in reports.
    """

    people: int = 0
    planned: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    suppressed: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    unsubscribed: int = 0
    complained: int = 0
    untold: int = 0

    @property
    def reached(self) -> int:
        """People to whom something has left: whoever is reached by two channels is one."""
        return min(self.people, self.sent)

    @property
    def told(self) -> int:
        """Those of the sent of which somebody tells whether they arrive."""
        return self.sent - self.untold

    def as_json(self) -> dict[str, int]:
        """As a sample has it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def as_answer(self) -> dict[str, int | None]:
        """As the API has it: null where nobody tells."""
        told: dict[str, int | None] = {name: count for name, count in self.as_json().items() if name != "untold"}
        return told | ({"delivered": None} if self.sent and not self.told else {})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `per_second` and `seconds_left` are None where nothing is under way.

    `percent` is 100 once nothing is left to be planned or to leave. `cost` is by currency, of what has a price.
    """

    state: RunState
    people: int
    handled: int
    percent: float
    counts: Counts
    arms: Mapping[str, Counts] = field(default_factory=dict)
    per_second: float | None = None
    seconds_left: float | None = None
    cost: Mapping[str, Decimal] = field(default_factory=dict)


def counts_of(arms: Sequence[Arm]) -> Mapping[str, Counts]:
    """What became of each arm of one run, by its letter. Two statements."""
    by_arm = _counts_by_arm(arms)
    return {arm.letter: by_arm[arm.id] for arm in arms}


def counts_of_runs(arms: Sequence[Arm]) -> Mapping[UUID, Counts]:
    """What became of several runs, by id, of all arms that they have. Two statements, however many there are."""
    by_arm = _counts_by_arm(arms)
    of_run: defaultdict[UUID, list[Counts]] = defaultdict(list)
    for arm in arms:
        of_run[arm.run_id].append(by_arm[arm.id])
    return {run_id: added(several) for run_id, several in of_run.items()}


def of(run: Run, at: datetime) -> Progress:
    """How far a run is. A handful of statements, whatever its size."""
    arms = list(run.arms.order_by("letter"))
    by_letter = counts_of(arms)
    total = added(by_letter.values())
    handled = total.people
    percent = _percent(run, by_letter)
    rate = _rate(run, total, at) if run.state in UNFINISHED and run.state != RunState.PAUSED else None
    return Progress(
        RunState(run.state),
        run.people,
        handled,
        percent,
        total,
        by_letter,
        rate,
        _left(run, total, percent, rate),
        _cost(arms),
    )


def added(counts: Any) -> Counts:
    """Several as one."""
    sums: defaultdict[str, int] = defaultdict(int)
    for one in counts:
        for name, value in one.as_json().items():
            sums[name] += value
    return Counts(**sums)


def sample(run: Run, by_letter: Mapping[str, Counts], at: datetime) -> None:
    """Write down how far a run is, for its charts and its rate; and how many of each arm were reached."""
    reached = {letter: counts.reached for letter, counts in by_letter.items()}
    counts = added(by_letter.values()).as_json()
    Sample.objects.bulk_create([Sample(run=run, at=at, counts=counts, reached=reached)], ignore_conflicts=True)


def as_decided(by_letter: Mapping[str, Counts]) -> dict[str, dict[str, int]]:
    """What a run keeps of the moment in which its winner is chosen: later the winner's people are others as well."""
    return {letter: counts.as_json() for letter, counts in sorted(by_letter.items())}


def tested(run: Run) -> Mapping[str, Counts]:
    """What the test of a run had come to when its winner was chosen; empty where none was, or that was not kept."""
    return {letter: Counts(**counts) for letter, counts in run.decided_on.items()}


def nothing_waits(run: Run) -> bool:
    """Whether everybody is planned and all of it has come to an end.

    Asked in this order, and not of counts that were read before: where no chunk is open all that is planned is noted,
    where nothing more is noted it is counted. How many rows there are says nothing: whoever has two devices has two,
    whoever was erased meanwhile has none.
    """
    if run.frozen_at is None or run.chunks.filter(state=ChunkState.OPEN.value).exists():
        return False
    parts = list(run.arms.exclude(letter=HOLD_OUT).values_list("id", flat=True))
    if turnouts.is_behind(parts):
        return False
    return all(one.state is not TurnoutState.WAITING for one in turnouts.of_parts(parts))


def _counts_by_arm(arms: Sequence[Arm]) -> Mapping[UUID, Counts]:
    sums: defaultdict[UUID, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    parts: list[UUID] = [arm.id for arm in arms if arm.letter != HOLD_OUT]
    left: Counter[tuple[UUID, Channel]] = Counter()
    arrived: Counter[tuple[UUID, Channel]] = Counter()
    for one in turnouts.of_parts(parts):
        into = sums[one.of]
        if one.state is TurnoutState.SUPPRESSED:
            into["suppressed"] += one.count
            continue
        into["planned"] += one.count
        left[one.of, one.channel] += one.count if one.state in _LEFT else 0
        arrived[one.of, one.channel] += one.count if one.state is TurnoutState.DELIVERED else 0
        into["delivered"] += one.count if one.state is TurnoutState.DELIVERED else 0
        into["sent"] += one.count if one.state in _LEFT else 0
        into["failed"] += one.count if one.state in _ENDED_BADLY else 0
        into["waiting"] += one.count if one.state is TurnoutState.WAITING else 0
    for arm_id, channel in left:
        if not arrived[arm_id, channel] and not always_tells(channel):
            sums[arm_id]["untold"] += left[arm_id, channel]
    for reaction in rollups.reactions_of(parts):
        if reaction.kind != ReactionKind.MACHINE_OPENED:
            sums[reaction.of][reaction.kind] += reaction.people
    return {arm.id: Counts(people=arm.people, **sums[arm.id]) for arm in arms}


def _cost(arms: Sequence[Arm]) -> Mapping[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in spending.of_parts(arm.id for arm in arms if arm.letter != HOLD_OUT):
        if one.currency:
            sums[one.currency] += one.amount
    return dict(sums)


def _percent(run: Run, by_letter: Mapping[str, Counts]) -> float:
    """People who are planned, by the part of their deliveries that do not wait any more.

    What was planned a moment ago is not counted yet, and waits: everybody who is not held out has a row at least.
    """
    total = added(by_letter.values())
    handled = min(1.0, total.people / run.people) if run.people else 0.0
    if run.state not in UNFINISHED:
        return 100.0 if run.state == RunState.FINISHED else round(100 * handled, 1)
    rows = total.planned + total.suppressed
    reached = sum(one.people for letter, one in by_letter.items() if letter != HOLD_OUT)
    all_of_them = max(rows, reached)
    ended = (rows - total.waiting) / all_of_them if all_of_them else 1.0
    return min(99.9, round(100 * handled * ended, 1))


def _rate(run: Run, total: Counts, at: datetime) -> float | None:
    """Deliveries that left a second, lately. In the first minute since it began: of two samples that lie a second apart
    nothing may have left between, and none is known before anything left.
    """
    if run.started_at is not None and at - run.started_at <= _LOOK_BACK:
        seconds = (at - run.started_at).total_seconds()
        return round(total.sent / seconds, 1) if total.sent and seconds > 0 else None
    before = run.samples.filter(at__lt=at, at__gte=at - _LOOK_BACK).order_by("at").first()
    since, left = (before.at, before.counts.get("sent", 0)) if before else (run.started_at, 0)
    if since is None or at <= since:
        return None
    return round(max(0, total.sent - left) / (at - since).total_seconds(), 1)


def _left(run: Run, total: Counts, percent: float, rate: float | None) -> float | None:
    """Seconds until the last has left, at the rate of now and no sooner than the throttle lets the last one begin.

    Unknown where everybody has an hour of their own; what waits for its hour besides is not foreseen.
    """
    if not rate or not percent or run.campaign.in_local_time or run.state not in (RunState.STARTING, RunState.RUNNING):
        return None
    each = total.planned / total.people if total.people else 1.0
    people = max(0, run.people - total.people)
    throttle = run.campaign.throttle_per_minute
    least = 60 * people / throttle if throttle else 0.0
    return round(max(least, (people * each + total.waiting) / rate), 1)
