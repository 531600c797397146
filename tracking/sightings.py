"""Clicks and opens on their way from the door to the log: a stream in Redis, so that a redirect asks no database.

An entry is in the stream before the answer leaves. Whoever takes entries from it acknowledges and deletes them once
they are in the log, so each arrives at least once; the log takes it once. Where Redis does not answer, people are
redirected all the same: the process keeps some entries until it does, and the rest is lost, and counted.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from notifications.meters import metered
from notifications.redis_client import client
from notifications.vocabulary import ReceiptKind

log = structlog.get_logger(__name__)

STREAM: Final = "tracking:sightings"
#: Entries that the stream holds, about 150 bytes each, before it forgets the oldest: eight minutes of 2,000 a second
#: without anybody who takes them.
LONGEST: Final = 1_000_000
#: Those who take entries share one name: what one of them left undone is claimed by when it was taken, not by whom.
_GROUP: Final = "arrivals"
_WHO: Final = "worker"
_FIELD: Final = b"e"

#: Seconds that a redirect may wait for Redis, and for which Redis is left alone once it did not answer.
_PATIENCE: Final = 0.25
_REST: Final = 2.0
#: Entries that a process keeps meanwhile, and how many of them somebody who clicks afterwards brings in: 10 ms.
_KEPT: Final = 10_000
_TOGETHER: Final = 500


class Sighting(msgspec.Struct, frozen=True, array_like=True):
    """Somebody, or the `machine` that is named, followed a link or fetched a picture.

    `number` and `url` are of the link; the URL has neither query nor fragment.
    """

    delivery_id: UUID
    kind: ReceiptKind
    at: datetime
    machine: str = ""
    number: int = 0
    url: str = ""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Sighting).decode


# --- in ----------------------------------------------------------------------------------------------
class Door:
    """Where sightings go in, by all threads of a web process. `connect` gives the Redis to ask."""

    def __init__(self, connect: Callable[[], "Redis"]) -> None:
        self._connect = connect
        self._lock = threading.Lock()  # of what is kept and lost; nobody holds it while they wait for Redis
        self._kept: deque[bytes] = deque()
        self._lost = 0
        self._ill_until = 0.0

    def put(self, sighting: Sighting) -> None:
        """Queue a sighting; never raises, and never waits for long."""
        entry = _encode(sighting)
        if time.monotonic() < self._ill_until:
            self._keep(entry)
            return
        try:
            if self._kept or self._lost:
                self._catch_up()
            _add(self._connect(), entry)
        except RedisError as error:
            # whoever comes in the next moments does not wait for the same thing
            self._ill_until = time.monotonic() + _REST
            self._keep(entry)
            log.warning("sightings.kept", error=type(error).__name__, kept=len(self._kept), lost=self._lost)

    def _catch_up(self) -> None:
        """Bring in some of what was kept: each who comes does a part, so that none of them waits for all of it.

        Where that fails it is kept again, some of it perhaps twice: the log knows it by then.
        """
        with self._lock:
            some = [self._kept.popleft() for _ in range(min(_TOGETHER, len(self._kept)))]
            lost, self._lost = self._lost, 0
        try:
            pipe = self._connect().pipeline(transaction=False)
            for entry in some:
                _add(pipe, entry)
            pipe.execute()
        except RedisError:
            with self._lock:
                self._kept.extendleft(reversed(some))
                self._lost += lost
            raise
        if lost:
            with metered() as meters:
                meters.count("sightings_lost", by=lost)

    def _keep(self, entry: bytes) -> None:
        with self._lock:
            if len(self._kept) < _KEPT:
                self._kept.append(entry)
            else:
                self._lost += 1


def _add(to: Redis, entry: bytes) -> None:
    to.xadd(STREAM, {_FIELD: entry}, maxlen=LONGEST, approximate=True)


@cache
def _quick() -> Redis:
    once_more = Retry(NoBackoff(), retries=1)
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=once_more
    )


door: Final = Door(_quick)


# --- out ---------------------------------------------------------------------------------------------
def take(limit: int) -> Mapping[bytes, Sighting | None]:
    """Up to `limit` entries that nobody took yet, by their ids; None for what cannot be read. They wait for `done`."""
    found: Any = _in_group(lambda: client().xreadgroup(_GROUP, _WHO, {STREAM: ">"}, count=limit))
    return _read(found[0][1]) if found else {}


def left_behind(limit: int, idle: float) -> Mapping[bytes, Sighting | None]:
    """Up to `limit` entries that somebody took `idle` seconds ago and did not finish with: killed, most likely."""
    found: Any = _in_group(
        lambda: client().xautoclaim(STREAM, _GROUP, _WHO, min_idle_time=int(idle * 1000), count=limit)
    )
    return _read(found[1])


def done(ids: Mapping[bytes, object]) -> None:
    """These entries are in the log."""
    if ids:
        pipe = client().pipeline(transaction=False)
        pipe.xack(STREAM, _GROUP, *ids)
        pipe.xdel(STREAM, *ids)
        pipe.execute()


def _in_group(ask: Callable[[], Any]) -> Any:
    """The answer; where Redis was emptied, or is new, the group is made first."""
    try:
        return ask()
    except ResponseError as error:
        if "NOGROUP" not in str(error):
            raise
    try:
        client().xgroup_create(STREAM, _GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):  # another worker was quicker
            raise
    return ask()


def _read(entries: Any) -> dict[bytes, Sighting | None]:
    """Entries that the stream forgot while somebody had them come without fields."""
    return {entry_id: _sighting(fields) for entry_id, fields in entries if entry_id is not None}


def _sighting(fields: Mapping[bytes, bytes] | None) -> Sighting | None:
    try:
        return _decode((fields or {})[_FIELD])
    except (KeyError, msgspec.DecodeError):
        return None
