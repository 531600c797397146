"""What every test stands on: real servers, started here unless the environment names some.

This comes before Django reads its settings. Each pytest-xdist worker has databases of its own (pytest-django sees to
PostgreSQL's, this file to Redis'). Two runs at once in one checkout need two run folders:
`BONGSU_RUN_DIR=.run2 make test`.
"""

import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import django
import pytest
import redis

from config import embedded

_services = embedded.start_unless_given() or embedded.urls(embedded.run_dir())


def _of_this_worker(redis_url: str) -> str:
    """`redis_url` with a database for this pytest-xdist worker: 1 for a run without workers, then 2 for gw0, …

    Database 0 is left alone: a demo may be running on the same Redis.
    """
    worker = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    number = int(worker[1]) + 2 if worker else 1
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return urlunsplit(parts._replace(path=f"/{number}"))


os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or _services.database_url
os.environ["REDIS_URL"] = _of_this_worker(os.environ.get("REDIS_URL") or _services.redis_url)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()


@pytest.fixture(scope="session")
def redis_client() -> Iterator[redis.Redis]:
    """The Redis of this worker."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    yield client
    client.close()


@pytest.fixture(autouse=True)
def empty_redis(redis_client: redis.Redis) -> None:
    """No test sees the hints, limits or tokens of another."""
    redis_client.flushdb()
