"""Asked to end: from then on nothing new is begun, and answers under way are waited for a few seconds more.

Whoever starts a process may kill it ten seconds after SIGTERM, and what it still held would be in doubt until its lease
ran out. The worker's signal handler says so here; everything that takes long asks.
"""

import time
from typing import Final

#: Seconds for which answers of providers are waited for: most come within these, and half of the ten is left for
#: writing down what they said.
GRACE: Final = 5.0


class Stopping:
    """Whether, and since when, this process is to end."""

    def __init__(self) -> None:
        self._begun_at: float | None = None

    def begin(self) -> None:
        """The process is to end. Asking again changes nothing."""
        if self._begun_at is None:
            self._begun_at = time.monotonic()

    def is_wished(self) -> bool:
        """Whether the process is to end."""
        return self._begun_at is not None

    def is_urgent(self) -> bool:
        """Whether it has waited long enough for what is under way."""
        return self._begun_at is not None and time.monotonic() - self._begun_at > GRACE


stopping: Final = Stopping()
