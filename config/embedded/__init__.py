"""PostgreSQL and Redis, started by the project itself when no URL names real ones.

Both come from wheels and live under one run folder (`.run/` in a checkout), reached by unix sockets alone: no port is
opened, so none can be taken. They are servers in their own right: they outlive whoever started them, until `stop`.

    services = embedded.start(run_dir)      # as often as you like, also from two processes at once
    services.database_url, services.redis_url
    embedded.stop(run_dir)

From a shell: `python -m config.embedded start|stop|status|urls|remove`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.embedded import postgres, redis_server
from config.embedded.places import RECORD, Places, Services, ServiceUnavailable, places, record

__all__ = [
    "ServiceUnavailable",
    "Services",
    "Status",
    "run_dir",
    "start",
    "start_unless_given",
    "status",
    "stop",
    "urls",
]

_CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Status:
    """Which of the two servers answer."""

    postgres: bool
    redis: bool


def run_dir() -> Path:
    """Where the servers live: BONGSU_RUN_DIR, or `.run` in the checkout."""
    return Path(os.environ.get("BONGSU_RUN_DIR", "") or _CHECKOUT / ".run")


def urls(folder: Path) -> Services:
    """The addresses of the servers of `folder`, running or not. Starts nothing, writes nothing."""
    return places(folder).services


def start(folder: Path) -> Services:
    """Make both servers answer, starting what does not run, and give their addresses.

    A server that runs is left as it is. Raises ServiceUnavailable, with the server's own words, when one cannot start.
    """
    found = places(folder)
    if _status(found) == Status(postgres=True, redis=True):
        return found.services
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _alone(folder):
        found = places(folder)
        found.prepare()
        postgres.start(found)
        redis_server.start(found)
        record(folder, found)
    return found.services


def start_unless_given() -> Services | None:
    """Start the servers of `run_dir()`; None, and nothing is started, when DATABASE_URL and REDIS_URL name others."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return None
    return start(run_dir())


def stop(folder: Path) -> None:
    """Stop both servers. Rows are kept; what Redis held is gone."""
    if not folder.exists():
        return
    with _alone(folder):
        found = places(folder)
        redis_server.stop(found)
        postgres.stop(found)


def remove(folder: Path) -> None:
    """Stop both servers and delete all that they keep, rows too."""
    stop(folder)
    places(folder).remove()
    (folder / RECORD).unlink(missing_ok=True)


def status(folder: Path) -> Status:
    """Which servers of `folder` answer just now."""
    return _status(places(folder))


def _status(found: Places) -> Status:
    return Status(postgres=postgres.answers(found), redis=redis_server.answers(found))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; another starter waits here, then finds everything running."""
    with (folder / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
