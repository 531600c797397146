"""The worker's event loop says that it turns: see notifications/liveness.py."""

from typing import Any, Final

from celery import bootsteps
from django.conf import settings

from notifications.liveness import folder_in, signing

#: Seconds between two signs of a worker that waits.
_EVERY: Final = 2.0


class Pulse(bootsteps.StartStopStep):
    """Keeps the file of this worker, written by the timer of its own event loop: a thread would go on beating
    while the loop is stuck."""

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:
        """Before the broker is asked for the first time, so that a worker that cannot reach it is seen as well."""
        signing.on(folder_in(settings.RUN_DIR), parent.hostname, parent.app.amqp.queues.consume_from)
        parent.timer.call_repeatedly(_EVERY, signing.turned)

    def stop(self, parent: Any) -> None:
        """At an end in good order."""
        signing.off()

    terminate = stop
