"""A database that is away for some seconds: what is known must not be forgotten because it cannot be written down."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from notifications.liveness import signing
from notifications.stopping import stopping

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: What the database's absence looks like: no connection, shut down, starting up, no room on its disk.
AWAY: Final = (OperationalError, InterfaceError)
#: Seconds between two tries.
_PAUSE: Final = 0.25


def until_written(write: Callable[[], T], *, seconds: float) -> T:
    """What `write` gives; where the database is away, it is tried again until `seconds` have passed.

    `write` must be one transaction that does no harm when its commit went through unnoticed and it is repeated. Raises
    the last error in the end, or at once in a process that has no time left to end.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return write()
        except AWAY as error:
            if time.monotonic() > deadline or stopping.is_urgent():
                raise
            log.warning("ledger.away", error=type(error).__name__)
            connection.close()
            signing.moved()
            time.sleep(_PAUSE)
