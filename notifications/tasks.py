"""The doors for Celery: names, retry policy, one call each.

What is behind a door is loaded when it is first opened: the scheduler opens none, and a worker those of its queues,
which saves each 5 to 10 MB.
"""

import math
from datetime import timedelta
from typing import Any, Final

from celery import Task, shared_task

from notifications import queues
from notifications.clock import clock
from notifications.vocabulary import Lane

#: Nothing waits longer than this in the broker: what is due later waits as a row, and the sweep hints when it is time.
LONGEST_COUNTDOWN: Final = timedelta(minutes=5)


class DeliveriesWait(Exception):
    """Some deliveries failed for a passing reason; `seconds` until the first of them is due again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class OnRetryLane(Task[Any, Any]):
    """Celery's autoretry, on the retry lane and at the moment that the ledger wrote beside the deliveries.

    The backoff (exponential, full jitter) is drawn in `planning.retry`, because the row, not the broker, must know it.
    """

    def retry(  # type: ignore[override] # the options go on as they came
        self, args: Any = None, kwargs: Any = None, exc: Any = None, **options: Any
    ) -> Any:
        """Publish the retry to the lane of its own."""
        if isinstance(exc, DeliveriesWait):
            lane = Lane((self.request.kwargs or {})["lane"]).retry
            kwargs = {"lane": lane.value}
            # RabbitMQ delays by whole seconds, and would cut off the rest
            countdown = math.ceil(exc.seconds) if self.app.conf.task_queues else exc.seconds
            options |= {"queue": lane.value, "countdown": countdown}
        return super().retry(args=args, kwargs=kwargs, exc=exc, **options)


@shared_task(
    bind=True,
    base=OnRetryLane,
    name=queues.DISPATCH,
    autoretry_for=(DeliveriesWait,),
    retry_backoff=2,
    retry_backoff_max=int(LONGEST_COUNTDOWN.total_seconds()),
    retry_jitter=True,
    max_retries=None,
)
def dispatch(_task: OnRetryLane, /, *, lane: str, **newer: object) -> None:
    """Send what is due in a lane; what failed in passing is tried again on the queue's retry lane."""
    from notifications import dispatching

    done = dispatching.dispatch(Lane(lane), clock=clock.now)
    if done.retry_in is not None and done.retry_in <= LONGEST_COUNTDOWN:
        seconds = max(0.0, done.retry_in.total_seconds())
        if queues.may_come_back(Lane(lane).retry, seconds):
            raise DeliveriesWait(seconds)


@shared_task(name=queues.WALK)
def walk(**newer: object) -> None:
    """Plan the next chunks of an audience."""
    from notifications import walking

    walking.walk(clock=clock.now)


@shared_task(name=queues.RECEIVE)
def receive(**newer: object) -> None:
    """Apply the receipts that are due."""
    from notifications import receiving

    receiving.apply(clock=clock.now, gather=queues.GATHER)


@shared_task(name=queues.SWEEP)
def sweep(**newer: object) -> None:
    """Find what is due or hangs."""
    from notifications import recovery

    recovery.sweep_up(clock=clock.now)


@shared_task(name=queues.EXPIRE)
def expire(**newer: object) -> None:
    """End what is too late and in nobody's hands."""
    from notifications import recovery

    recovery.expire(clock=clock.now)


@shared_task(name=queues.ESCALATE)
def escalate(**newer: object) -> None:
    """Let what was not heard of in time take its next channel."""
    from notifications import escalating

    escalating.escalate(clock=clock.now)


@shared_task(name=queues.DIGEST)
def digest(**newer: object) -> None:
    """Send what was gathered and is due."""
    from notifications import digesting

    digesting.close(clock=clock.now)


@shared_task(name=queues.MISSED)
def give_up_receipts(**newer: object) -> None:
    """Stop waiting for receipts that are overdue."""
    from notifications import recovery

    recovery.give_up_receipts(clock=clock.now)


@shared_task(name=queues.TALLY)
def keep_tally(**newer: object) -> None:
    """Add up what the home page shows."""
    from notifications import recovery

    recovery.keep_tally()


@shared_task(name=queues.PARTITIONS)
def keep_partitions(**newer: object) -> None:
    """Make and drop the log's partitions."""
    from notifications import recovery

    recovery.keep_partitions(clock=clock.now)


@shared_task(name=queues.ERASE)
def erase(**newer: object) -> None:
    """Go on where people are being erased."""
    from notifications import erasing

    erasing.carry_on(clock=clock.now)
