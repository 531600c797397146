"""The doors for Celery: names, one call each. What is behind a door is loaded when it is first opened."""

from uuid import UUID

from celery import shared_task

from campaigns.vocabulary import EXPORT, GO_ON, LIST, RETRY, START, TICK
from notifications.clock import clock


@shared_task(name=TICK)
def tick(**newer: object) -> None:
    """Begin the runs that are due, and look at those that are on their way."""
    from campaigns import ticking

    ticking.tick(clock=clock.now)


@shared_task(name=START)
def start(*, campaign: str, **newer: object) -> None:
    """Begin the run of a campaign whose alarm rings."""
    from campaigns import ticking

    ticking.ring(UUID(campaign), clock=clock.now)


@shared_task(name=GO_ON)
def go_on(**newer: object) -> None:
    """Freeze, or plan a chunk of, whatever run has its turn."""
    from campaigns import launching

    launching.go_on(clock=clock.now)


@shared_task(name=EXPORT)
def export(**newer: object) -> None:
    """Write some more of a file that somebody asked for, and delete those that are old."""
    from campaigns.reports import exporting

    exporting.go_on(clock=clock.now)


@shared_task(name=RETRY)
def retry(**newer: object) -> None:
    """Queue again some more of what failed, of a run of which somebody asked for it."""
    from campaigns import retrying

    retrying.go_on(clock=clock.now)


@shared_task(name=LIST)
def read_list(**newer: object) -> None:
    """Read some more of a file for a list, and delete what is of no use any more."""
    from campaigns.segments import uploading

    uploading.go_on(clock=clock.now)
