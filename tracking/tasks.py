"""The doors for Celery: names, one call each. What is behind a door is loaded when it is first opened."""

from celery import shared_task

from notifications.clock import clock


@shared_task(name="tracking.arrive")
def arrive(**newer: object) -> None:
    """Bring clicks and opens into the log."""
    from tracking import arriving

    arriving.arrive(clock=clock.now)
