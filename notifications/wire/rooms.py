"""How many requests may be under way to an origin, so that none is refused for want of a stream."""

import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

#: What libcurl puts on one connection at most, and what it takes for granted of a new one.
_STREAMS: Final = 100
#: So many connections of HTTP/1.1 are libcurl's business.
_NO_LIMIT: Final = 1 << 20
#: After so many lonely requests in a row whose connection was closed with the answer, that is held to be usual there.
_FLEETING: Final = 20
_NEVER: Final = float("-inf")


class Rooms(Generic[T]):
    """As many as the connections take that have answered before, and one more, which may open the next connection.

    Until its first answer, nobody knows what a connection takes: Apple's take one stream before they have seen a valid
    token, and refuse the others that libcurl sends at once. A refusal also costs the connection, because libcurl takes
    none that refused for another request. So a connection begins with one, and the first one to an origin goes alone.

    Which connections there are, libcurl does not tell: one that a server closes in good order still answers what it
    has, and takes nothing new. Where a new connection refuses somebody, there was less room than was believed: then
    only a connection that answers what begins from now on is believed in. Whoever was refused waits here for room.

    Connections are known by their sockets' numbers, times are `clock`'s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way: Counter[str] = Counter()
        #: Connections that are believed in, and whose they are.
        self._origins: dict[int, str] = {}
        self._proven: Counter[str] = Counter()
        #: Since when a connection, or all of an origin, has to prove itself.
        self._doubted: dict[int, float] = {}
        self._doubted_all: dict[str, float] = {}
        self._old_fashioned: set[str] = set()
        self._unproven: set[str] = set()
        self._fleeting: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[T]] = defaultdict(deque)

    def limit(self, origin: str) -> int:
        """How many may be under way there together.

        To one that nobody reaches, all go: they fail together, where one after the other would take an hour. So they do
        to one that closes every connection with its answer.
        """
        if origin in self._old_fashioned or origin in self._unproven:
            return _NO_LIMIT
        return _STREAMS * self._proven[origin] + 1

    def begin(self, origin: str) -> float:
        """One more is under way; since when."""
        self._under_way[origin] += 1
        return self._clock()

    def end(self, origin: str, began: float) -> None:
        """One that began then is no more."""
        if began >= self._doubted_all.get(origin, _NEVER):
            self._under_way[origin] -= 1

    def answered(self, origin: str, connection: int, began: float, *, multiplexes: bool) -> None:
        """One that began then was answered on this connection; or on several, one a request."""
        doubted = max(self._doubted.get(connection, _NEVER), self._doubted_all.get(origin, _NEVER))
        if not multiplexes:
            self._old_fashioned.add(origin)
        elif connection < 0:
            self._fleeting[origin] += began >= doubted and self._under_way[origin] == 1
            if self._fleeting[origin] >= _FLEETING:
                self._unproven.add(origin)
        elif connection >= 0 and connection not in self._origins and began >= doubted:
            self._origins[connection] = origin
            self._proven[origin] += 1
            self._unproven.discard(origin)
            self._fleeting[origin] = 0

    def failed(self, origin: str) -> None:
        """Somebody got no answer there."""
        if not self._proven[origin]:
            self._unproven.add(origin)

    def refused(self, origin: str, connection: int) -> None:
        """A connection has refused somebody, and takes nobody else."""
        self._unproven.discard(origin)
        if connection in self._origins:
            self._forget(connection)
        elif self._proven[origin]:
            for other in [other for other, whose in self._origins.items() if whose == origin]:
                self._forget(other)
            self._doubted_all[origin] = self._clock()
            self._under_way[origin] = 0
        self._doubted[connection] = self._clock()

    def opened(self, connection: int) -> None:
        """A connection is new: what had its number before is no more, and others may be no more either."""
        for other in [other for other in self._origins if other == connection or not _is_open(other)]:
            self._forget(other)

    def wait(self, origin: str, who: T) -> None:
        """Somebody was refused, and is to come again."""
        self._waiting[origin].append(who)

    def next(self, origin: str) -> T | None:
        """Who of these may go now."""
        waiting = self._waiting[origin]
        return waiting.popleft() if waiting and self._under_way[origin] < self.limit(origin) else None

    def forget(self, origin: str, who: T) -> bool:
        """Somebody waits no more; False when they did not."""
        try:
            self._waiting[origin].remove(who)
        except ValueError:
            return False
        return True

    def _forget(self, connection: int) -> None:
        self._proven[self._origins.pop(connection)] -= 1


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
