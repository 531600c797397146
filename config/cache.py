"""Django's Redis cache, with one client for each connection pool instead of a new one for each command."""

from typing import Any

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
