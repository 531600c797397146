"""Django's Redis cache, with one client for each connection pool instead of a new one for each command."""

import time
from typing import Any, Final

from django.core.cache.backends import redis


class _Client(redis.RedisCacheClient):
    """Making a client costs redis-py more than three commands cost: it sets up a table of 150 callbacks."""

    def __init__(self, servers: Any, **options: Any) -> None:
        super().__init__(servers, **options)
        self._kept: dict[bool, Any] = {}

    def incr(self, key: Any, delta: int) -> int:
        """Add to a counter. Raises ValueError where there is none; one round trip where Django asks beforehand."""
        client = self.get_client(key, write=True)
        total = int(client.incrby(key, delta))
        if total == delta:
            client.delete(key)
            raise ValueError(f"Key {key!r} not found.")
        return total

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The client for reading, or for writing."""
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class RedisCache(redis.RedisCache):
    """The backend that settings name."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client


#: Counters that a process remembers before it looks for old ones to forget.
_MANY: Final = 1000


class _CounterClient(_Client):
    """For django-ratelimit, which before it counts adds the counter, mostly in vain.

    Its keys name their window, so one that was seen once is there until it expires; or Redis was emptied, and then it
    is added again.
    """

    def __init__(self, servers: Any, **options: Any) -> None:
        super().__init__(servers, **options)
        #: Until when (monotonic) a counter need not be added, and its lifetime in seconds.
        self._there: dict[Any, tuple[float, int]] = {}

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        """Make a counter that lives for `timeout` seconds; False where there is one."""
        now = time.monotonic()
        if now < self._there.get(key, (0.0, 0))[0]:
            return False
        if len(self._there) >= _MANY:
            self._there = {old: kept for old, kept in self._there.items() if now < kept[0]}
        is_new: bool = super().add(key, value, timeout)
        self._there[key] = (now + timeout, timeout)
        return is_new

    def incr(self, key: Any, delta: int) -> int:
        """Count. Raises ValueError for a counter that was never added."""
        try:
            return super().incr(key, delta)
        except ValueError:
            _, lifetime = self._there.pop(key, (0.0, 0))
            if lifetime and self.add(key, delta, lifetime):
                return delta
            raise


class CounterCache(RedisCache):
    """The backend for counters alone: what is deleted here is not missed at once."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _CounterClient
