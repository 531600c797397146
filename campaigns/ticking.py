"""Every few seconds: what is due begins, and what is on its way is looked at."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from campaigns import deciding, launching, starting
from campaigns.models import Run


def tick(*, clock: Callable[[], datetime]) -> None:
    """Begin whatever is due, also what an alarm has missed, and look at every run that is on its way."""
    _begin(starting.start_due(clock()), clock())
    deciding.watch(clock=clock)


def ring(campaign_id: UUID, *, clock: Callable[[], datetime]) -> None:
    """A campaign's alarm rings: begin its run, if one is due."""
    _begin(starting.start(campaign_id, clock()), clock())


def _begin(run_ids: Sequence[UUID], at: datetime) -> None:
    for run in Run.objects.filter(pk__in=run_ids).select_related("campaign"):
        launching.begin(run, at)
