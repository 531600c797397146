"""The Redis that all processes share, for what Django's cache has no words for: pipelines and scripts."""

from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client() -> Redis:
    """One connection pool a process.

    A broken connection is replaced once and at once. The client's own three tries take four seconds, in which a worker
    could have sent thousands: whoever asks here goes on without an answer.
    """
    once_more = Retry(NoBackoff(), retries=1)
    return Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2, retry=once_more)
