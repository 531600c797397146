"""The Redis that all processes share, for what Django's cache has no words for: pipelines and scripts."""

from functools import cache

from django.conf import settings
from redis import Redis


@cache
def client() -> Redis:
    """One connection pool a process."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2)
