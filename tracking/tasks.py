"""The doors for Celery: names, one call each. What is behind a door is loaded when it is first opened."""

from celery import shared_task

from notifications.clock import clock


@shared_task(name="tracking.fold")
def fold(**newer: object) -> None:
    """Count what people did."""
    from tracking import folding

    folding.fold(clock=clock.now)


@shared_task(name="tracking.forget")
def forget(**newer: object) -> None:
    """Delete what is too old."""
    from tracking import folding

    folding.forget(clock=clock.now)


@shared_task(name="tracking.arrive")
def arrive(**newer: object) -> None:
    """Bring clicks and opens into the log."""
    from tracking import arriving

    arriving.arrive(clock=clock.now)
