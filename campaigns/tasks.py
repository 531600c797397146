"""The doors for Celery: names, one call each. What is behind a door is loaded when it is first opened."""

from celery import shared_task

from notifications.clock import clock


@shared_task(name="campaigns.tick")
def tick(**newer: object) -> None:
    """Begin the runs that are due, and look at those that are on their way."""
    from campaigns import starting

    starting.tick(clock=clock.now)


@shared_task(name="campaigns.start")
def start(**newer: object) -> None:
    """Begin the runs that are due: celery-beat's alarm clock of a campaign rings."""
    from campaigns import starting

    starting.ring(clock=clock.now)


@shared_task(name="campaigns.go_on")
def go_on(**newer: object) -> None:
    """Freeze, or plan a chunk of, whatever run has its turn."""
    from campaigns import launching

    launching.go_on(clock=clock.now)
