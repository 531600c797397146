"""One sandbox for all tests of a worker, emptied before each, and accounts of every provider that send there."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from config.demo import cast
from notifications import tokens
from notifications.breakers import breakers
from notifications.routes import routes
from notifications.wire import wire
from tests.sandbox.world import Running


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture
def sandbox(_running: Running, settings: Settings) -> Iterator[Running]:
    """A sandbox without faults, memory or receipts, which the wire trusts."""
    _running.admin("DELETE", "record")
    _running.admin("DELETE", "faults")
    quiet = {"receipts": False, "receipt_delay_ms": 0, "sendgrid_events_url": "", "mandrill_events_url": ""}
    _running.admin("PUT", "settings", quiet)
    settings.WIRE_CA_FILE = _running.state["ca_file"]
    settings.WIRE_PRIVATE_HOSTS = frozenset({"localhost"})
    yield _running
    if mine := vars(wire._mine).pop("wire", None):
        mine.close()


@pytest.fixture
def providers(sandbox: Running, db: None) -> Running:
    """The sandbox, with a live and a test account of every provider, and the token that FCM's want first.

    A fault of a provider strikes its token service as well; the tests that mean that one forget the token.
    """
    cast._accounts(sandbox.state)
    for account in ("fcm-live", "fcm-test"):
        fcm = routes.named(account)
        assert fcm is not None
        tokens.current(fcm.provider, fcm.account, timezone.now(), wire.exchange_one)
    return sandbox


@pytest.fixture(autouse=True)
def rested_breakers() -> None:
    """No test sees the failures of another."""
    breakers._answers.clear()
    breakers._glimpsed.clear()
