"""Counters and latencies for `/metrics`, kept in Redis so that all processes on all machines share them.

Counted in memory and written once a second. Losing them with the cache costs
history, never a message: Prometheus takes a counter that starts again for what it is.
"""

import atexit
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from notifications.planning.values import Drop, Plan, Send
from notifications.redis_client import client

log = structlog.get_logger(__name__)

#: Upper bounds of the latency buckets, in seconds.
BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_BOUNDS: Final = (*map(str, BUCKETS), "+Inf")

_HASH: Final = "meters"
#: Seconds.
_WRITE_AFTER: Final = 1.0


class Meters:
    """What one piece of work counts."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, ...]] = Counter()

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Add to a counter: `count("sent", "sms", "twilio-main")`."""
        self._counts[(name, *labels)] += by

    def planned(self, plan: Plan) -> None:
        """Count what a plan sends, and what it does not, with the reason."""
        for decision in plan.decisions:
            if isinstance(decision.verdict, Send):
                self.count("accepted", decision.candidate.channel, by=len(decision.verdict.targets))
            elif isinstance(decision.verdict, Drop):
                self.count("suppressed", decision.candidate.channel, decision.verdict.reason)

    def took(self, seconds: float, *labels: str) -> None:
        """Note how long a provider took to answer."""
        self._counts[("latency", _BOUNDS[bisect_left(BUCKETS, seconds)], *labels)] += 1
        self._counts[("latency_sum", *labels)] += round(seconds * 1_000_000)

    @property
    def counts(self) -> Counter[tuple[str, ...]]:
        """Name and labels, and how often."""
        return self._counts


class Buffer:
    """What this process counted and has not written yet: one round trip a second, however much is counted.

    `written` writes counts, and may raise `RedisError`: they are lost then.
    """

    def __init__(self, written: Callable[[Mapping[tuple[str, ...], int]], None]) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._written = written
        atexit.register(self.write)

    def add(self, counts: Mapping[tuple[str, ...], int]) -> None:
        """Keep counts, to be written within a second."""
        if not counts:
            return
        with self._lock:
            is_first = not self._counts
            self._counts.update(counts)
        if is_first:
            timer = threading.Timer(_WRITE_AFTER, self.write)
            timer.daemon = True
            timer.start()

    def write(self) -> None:
        """Add what was counted to what all have counted."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            self._written(counts)
        except RedisError as error:
            log.warning("meters.lost", error=type(error).__name__)


def _write(counts: Mapping[tuple[str, ...], int]) -> None:
    pipe = client().pipeline(transaction=False)
    for names, amount in counts.items():
        pipe.hincrby(_HASH, "|".join(names), amount)
    pipe.execute()


_buffer: Final = Buffer(_write)


@contextmanager
def metered() -> Iterator[Meters]:
    """Meters that are counted at the end, whatever that end is."""
    meters = Meters()
    try:
        yield meters
    finally:
        _buffer.add(meters.counts)


def readings() -> dict[tuple[str, ...], int]:
    """Everything counted so far, by name and labels; empty while Redis does not answer."""
    _buffer.write()
    try:
        found: Mapping[Any, Any] = client().hgetall(_HASH)
    except RedisError as error:
        log.warning("meters.unread", error=type(error).__name__)
        return {}
    return {tuple(field.decode().split("|")): int(amount) for field, amount in found.items()}
