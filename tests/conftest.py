"""What every test stands on. Which servers it meets: tests/settings.py."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
import redis
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings
from redis.client import Pipeline

from notifications import account_health, queues
from notifications.meters import readings
from notifications.routes import routes
from notifications.silence import sleepers
from notifications.wire import wire
from templates_app import catalogue
from tests.sandbox.world import Running

#: make test ARGS="tests/planning --hypothesis-profile thorough -n2"
hypothesis_settings.register_profile("thorough", max_examples=10_000, deadline=None)


@pytest.fixture(scope="session", autouse=True)
def admin_is_known() -> None:
    """The pages of the admin are registered with the first request; tests look at them before any."""
    import_module("config.urls")


@pytest.fixture(scope="session")
def redis_client() -> Iterator[redis.Redis]:
    """The Redis of this worker."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    yield client
    client.close()


@pytest.fixture(autouse=True)
def empty_redis(redis_client: redis.Redis) -> None:
    """No test sees the hints, limits or tokens of another, nor what it counted and had not written yet."""
    readings()
    account_health.of([])
    redis_client.flushdb()


@pytest.fixture
def asked_of_redis(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often this process gave Redis each command from now on; the server's own count has those of every process."""
    counts: Counter[str] = Counter()
    one: Callable[..., Any] = redis.Redis.execute_command
    many: Callable[..., Any] = Pipeline.execute_command

    def alone(self: Any, *words: Any, **options: Any) -> Any:
        counts[str(words[0]).lower()] += 1
        return one(self, *words, **options)

    def together(self: Any, *words: Any, **options: Any) -> Any:
        counts[str(words[0]).lower()] += 1
        return many(self, *words, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", alone)
    monkeypatch.setattr(Pipeline, "execute_command", together)
    return counts


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """No test sees what a process remembers of another's rows."""
    catalogue.forget()
    routes.forget()
    queues.know_nothing()
    sleepers.forget()


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One sandbox for all tests of a worker."""
    running = Running(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture
def trusted_sandbox(running_sandbox: Running, settings: Settings) -> Iterator[Running]:
    """A sandbox without faults, memory or receipts, which the wire trusts."""
    running_sandbox.empty()
    settings.WIRE_CA_FILE = running_sandbox.state["ca_file"]
    settings.WIRE_PRIVATE_HOSTS = frozenset({"localhost"})
    yield running_sandbox
    # other threads have wires of their own, which end with them
    if mine := vars(wire._mine).pop("wire", None):
        mine.close()
