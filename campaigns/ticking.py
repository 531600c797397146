"""Every few seconds: what is due begins, and what is on its way is looked at."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from campaigns import beginning, deciding, starting


def tick(*, clock: Callable[[], datetime]) -> None:
    """Begin whatever is due, also what an alarm has missed, and look at every run that is on its way."""
    beginning.begin(starting.start_due(clock()), clock())
    deciding.watch(clock=clock)


def ring(campaign_id: UUID, *, clock: Callable[[], datetime]) -> None:
    """A campaign's alarm rings: begin its run, if one is due."""
    beginning.begin(starting.start(campaign_id, clock()), clock())
