"""The scheduler that celery-beat runs: django-celery-beat's, which a clock that is set back does not put to sleep."""

import time
from typing import Any

from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler


class Scheduler(DatabaseScheduler):  # type: ignore[misc] # it comes without types
    """An entry is due when its interval has passed since its last run.

    Were the clock set back by ten minutes, that run would lie in the future, and nothing would be swept for so long.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        #: The time of day at the last tick; at first any that was written down may lie in the future.
        self._ticked_at = float("inf")

    def tick(self, *args: Any, **options: Any) -> float:
        """One round of the scheduler; the seconds until the next."""
        if time.time() < self._ticked_at:
            self._forget_the_future()
        self._ticked_at = time.time()
        wait: float = super().tick(*args, **options)
        return wait

    def _forget_the_future(self) -> None:
        now = timezone.now()
        for entry in self.schedule.values():
            if entry.last_run_at and entry.last_run_at > now:
                entry.last_run_at = entry.model.last_run_at = now
        self._heap = None
