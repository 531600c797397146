"""What a run comes to while it goes on: how far it is, what its variants get, which one wins, and when it is over."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

import structlog
from django.db import OperationalError, transaction

from campaigns import beginning, chunks, launching, progress
from campaigns.experiments import thompson
from campaigns.experiments.bayes import Tally, standings
from campaigns.experiments.verdict import is_decided
from campaigns.models import Run, Sample
from campaigns.progress import Counts
from campaigns.vocabulary import HOLD_OUT, UNFINISHED, Goal, RunState, Split
from notifications.liveness import signing

log = structlog.get_logger(__name__)

#: How often a run is looked at; one that takes long, so that it has some hundred samples in the end.
_OFTEN: Final = timedelta(seconds=5)
_SAMPLES: Final = 300
#: How long somebody has for a click before they count as one who did not want to, where shares are made of it.
_RIPE: Final = timedelta(minutes=2)


def watch(*, clock: Callable[[], datetime]) -> None:
    """Look at every run that is on its way. One at which that fails is to hold up no other."""
    for run in Run.objects.filter(state__in=sorted(UNFINISHED)).select_related("campaign").order_by("id"):
        signing.moved()
        try:
            _look_at(run, clock())
        except OperationalError:
            raise
        except Exception:
            log.exception("run.not_looked_at", run=str(run.pk))


def tallies(run: Run, by_letter: Mapping[str, Counts]) -> Sequence[Tally]:
    """People and successes of each variant: of those to whom something has left."""
    goal = run.campaign.goal
    return [
        Tally(letter, *_successes(counts, goal)) for letter, counts in sorted(by_letter.items()) if letter != HOLD_OUT
    ]


def may_change(run: Run) -> bool:
    """Whether more people may still get the variants that are compared: not once one is chosen, or the run is over."""
    return run.state in UNFINISHED and not run.winner


def _successes(counts: Counts, goal: str) -> tuple[int, int]:
    won = counts.clicked if goal == Goal.CLICK else counts.converted
    return max(counts.reached, won), won


def _look_at(run: Run, at: datetime) -> None:
    if run.started_at is None:
        beginning.begin([run.id], at)
        return
    by_letter = progress.counts_of(list(run.arms.all()))
    latest = run.samples.order_by("-at").first()
    if latest is None or at - latest.at >= max(_OFTEN, (at - run.started_at) / _SAMPLES):
        progress.sample(run, by_letter, at)
    if run.state == RunState.PAUSED:
        return
    if len(run.shares) > 1:
        _adapt(run, by_letter, latest, at)
        _decide(run, by_letter, latest, at)
    if run.state in (RunState.RUNNING, RunState.STARTING):
        _finish(run, by_letter, at)
    launching.hint()


def _adapt(run: Run, by_letter: Mapping[str, Counts], latest: Sample | None, at: datetime) -> None:
    """Each minute, give more of the next people to what does best."""
    if run.campaign.split != Split.ADAPTIVE or run.winner:
        return
    if latest is not None and latest.at.replace(second=0, microsecond=0) == at.replace(second=0, microsecond=0):
        return
    found = thompson.shares(_ripe(run, by_letter, at), Random())
    shares = {one.letter: round(one.weight, 4) for one in found}
    Run.objects.filter(pk=run.pk, winner="").update(shares=shares)


def _ripe(run: Run, by_letter: Mapping[str, Counts], at: datetime) -> Sequence[Tally]:
    """As `tallies`, but of those who had time for a click."""
    before = run.samples.filter(at__lte=at - _RIPE).order_by("-at").first()
    reached = before.reached if before else {}
    return [
        Tally(one.letter, max(one.successes, min(one.people, reached.get(one.letter, 0))), one.successes)
        for one in tallies(run, by_letter)
    ]


def looks(tested_at: datetime, after_hours: int, by_hours: int) -> Sequence[datetime]:
    """When it is asked whether a winner is sure enough: after some hours, twice, four times as many, and at the latest.

    Whoever looks at every moment whether a bound is passed finds it passed by chance, sooner or later.
    """
    hours = [after_hours * 2**number for number in range(12)]
    asked = sorted({*(one for one in hours if one < by_hours), by_hours})
    return [tested_at + timedelta(hours=one) for one in asked]


def _decide(run: Run, by_letter: Mapping[str, Counts], latest: Sample | None, at: datetime) -> None:
    """Once the test has gone out and some hours have passed: the better one goes to the rest."""
    campaign = run.campaign
    if run.test_percent == 100 or run.winner or run.frozen_at is None:
        return
    if run.tested_at is None:
        if chunks.are_left(run.id, 1):
            return
        with transaction.atomic():
            tested = Run.objects.filter(pk=run.pk, tested_at=None, state=RunState.RUNNING)
            tested.update(tested_at=at, state=RunState.DECIDING)
        run.refresh_from_db()
        return
    due = [one for one in looks(run.tested_at, campaign.decide_after_hours, campaign.decide_by_hours) if one <= at]
    is_late = at - run.tested_at >= timedelta(hours=campaign.decide_by_hours)
    if not due or (latest is not None and latest.at >= due[-1] and not is_late):
        return
    found = tallies(run, by_letter)
    if is_decided(found, campaign.sure_percent / 100) or is_late:
        best = max(standings(found), key=lambda one: one.best)
        Run.objects.filter(pk=run.pk, winner="", state=RunState.DECIDING).update(
            winner=best.letter,
            decided_at=at,
            decided_on=progress.as_decided(by_letter),
            state=RunState.RUNNING,
            next_chunk_at=at,
        )
        run.refresh_from_db()
        return
    # that this moment was looked at is known by a sample since then, of which there are few after some hours
    progress.sample(run, by_letter, at)


def _finish(run: Run, by_letter: Mapping[str, Counts], at: datetime) -> None:
    waits = run.to_retry or (run.test_percent < 100 and not run.winner and len(run.shares) > 1)
    seems_over = not any(counts.waiting for counts in by_letter.values())
    if not waits and seems_over and progress.nothing_waits(run):
        # whoever has asked meanwhile for what failed to be tried again has it run on
        done = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, retry_asked_at=run.retry_asked_at)
        if done.update(state=RunState.FINISHED, finished_at=at):
            progress.sample(run, by_letter, at)
