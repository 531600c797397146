"""What a run comes to while it goes on: how far it is, what its variants get, which one wins, and when it is over."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from django.db import transaction

from campaigns import chunks, launching, progress
from campaigns.experiments import thompson
from campaigns.experiments.bayes import Tally, standings
from campaigns.experiments.verdict import is_decided
from campaigns.models import Run, Sample
from campaigns.progress import Counts
from campaigns.vocabulary import HOLD_OUT, UNFINISHED, Goal, RunState, Split
from notifications.liveness import signing

#: How often a run is looked at; one that takes long, so that it has some hundred samples in the end.
_OFTEN: Final = timedelta(seconds=5)
_SAMPLES: Final = 300
#: How often shares are made anew.
_ADAPTS_EVERY: Final = timedelta(minutes=1)


def watch(*, clock: Callable[[], datetime]) -> None:
    """Look at every run that is on its way."""
    for run in Run.objects.filter(state__in=sorted(UNFINISHED)).select_related("campaign").order_by("id"):
        signing.moved()
        _look_at(run, clock())


def tallies(run: Run, by_letter: Mapping[str, Counts]) -> Sequence[Tally]:
    """People and successes of each variant: of those to whom something has left."""
    goal = run.campaign.goal
    return [
        Tally(letter, *_successes(counts, goal)) for letter, counts in sorted(by_letter.items()) if letter != HOLD_OUT
    ]


def _successes(counts: Counts, goal: str) -> tuple[int, int]:
    won = counts.clicked if goal == Goal.CLICK else counts.converted
    # somebody who is reached by two channels is one; nobody is counted who got nothing
    reached = min(counts.people, counts.sent)
    return max(reached, won), won


def _look_at(run: Run, at: datetime) -> None:
    if run.started_at is None:
        launching.begin(run, at)
        return
    by_letter = progress.counts_of(list(run.arms.all()))
    total = progress.added(by_letter.values())
    latest = run.samples.order_by("-at").first()
    if latest is None or at - latest.at >= max(_OFTEN, (at - run.started_at) / _SAMPLES):
        progress.sample(run, total, at)
    if run.state == RunState.PAUSED:
        return
    if len(run.shares) > 1:
        _adapt(run, by_letter, latest, at)
        _decide(run, by_letter, at)
    if run.state in (RunState.RUNNING, RunState.STARTING):
        _finish(run, total, at)
    launching.hint()


def _adapt(run: Run, by_letter: Mapping[str, Counts], latest: Sample | None, at: datetime) -> None:
    """Each minute, give more of the next people to what does best."""
    if run.campaign.split != Split.ADAPTIVE or run.winner:
        return
    if latest is not None and latest.at.replace(second=0, microsecond=0) == at.replace(second=0, microsecond=0):
        return
    found = thompson.shares(tallies(run, by_letter), Random())
    shares = {one.letter: round(one.weight, 4) for one in found}
    Run.objects.filter(pk=run.pk, winner="").update(shares=shares)


def _decide(run: Run, by_letter: Mapping[str, Counts], at: datetime) -> None:
    """Once the test has gone out and some hours have passed: the better one goes to the rest."""
    campaign = run.campaign
    if campaign.test_percent == 100 or run.winner or run.frozen_at is None:
        return
    if run.tested_at is None:
        if chunks.are_left(run.id, 1):
            return
        with transaction.atomic():
            tested = Run.objects.filter(pk=run.pk, tested_at=None, state=RunState.RUNNING)
            tested.update(tested_at=at, state=RunState.DECIDING)
        run.refresh_from_db()
        return
    since = at - run.tested_at
    if since < timedelta(hours=campaign.decide_after_hours):
        return
    found = tallies(run, by_letter)
    is_late = since >= timedelta(hours=campaign.decide_by_hours)
    if is_decided(found, campaign.sure_percent / 100) or is_late:
        best = max(standings(found), key=lambda one: one.best)
        Run.objects.filter(pk=run.pk, winner="", state=RunState.DECIDING).update(
            winner=best.letter, decided_at=at, state=RunState.RUNNING, next_chunk_at=at
        )
        run.refresh_from_db()


def _finish(run: Run, total: Counts, at: datetime) -> None:
    waits = run.campaign.test_percent < 100 and not run.winner and len(run.shares) > 1
    if not waits and progress.nothing_waits(run, total):
        done = Run.objects.filter(pk=run.pk, state=RunState.RUNNING)
        if done.update(state=RunState.FINISHED, finished_at=at):
            progress.sample(run, total, at)
