"""The time by which deliveries are due: it never goes back.

Everything that waits knows a moment from which it is due. Were a machine's clock set back by ten minutes, all that was
due "now" would wait for ten minutes, and leases would last for as long. So each process goes by the clock of the
machine, and where that falls behind what this process has seen, by the time that has passed since.
"""

import time
from datetime import UTC, datetime
from typing import Final


class Clock:
    """A clock that follows the machine's forwards and never backwards."""

    def __init__(self) -> None:
        #: What was told last, and the monotonic time at which it was.
        self._told = (0.0, 0.0)

    def now(self) -> datetime:
        """The present moment, in UTC."""
        passed = time.monotonic()
        told, told_at = self._told
        now = max(time.time(), told + (passed - told_at))
        self._told = (now, passed)
        return datetime.fromtimestamp(now, tz=UTC)


clock: Final = Clock()
