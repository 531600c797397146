"""The doors for Celery: names, one call each. What is behind a door is loaded when it is first opened."""

from uuid import UUID

from celery import shared_task

from campaigns import vocabulary
from notifications.clock import clock


@shared_task(name=vocabulary.TICK)
def tick(**newer: object) -> None:
    """Start what is due, whether an alarm rang or not."""
    from campaigns import starting

    starting.start_due(clock.now())


@shared_task(name=vocabulary.START)
def start(*, campaign: str, **newer: object) -> None:
    """Start one campaign, if it is due: an alarm has rung."""
    from campaigns import starting

    starting.start(UUID(campaign), clock.now())
