"""One sandbox for all tests of a worker, emptied before each, and accounts of every provider that send there."""

import pytest
from django.utils import timezone

from config.demo import cast
from notifications import tokens
from notifications.breakers import breakers
from notifications.routes import routes
from notifications.wire import wire
from tests.sandbox.world import Running


@pytest.fixture
def sandbox(trusted_sandbox: Running) -> Running:
    """A sandbox without faults, memory or receipts, which the wire trusts."""
    return trusted_sandbox


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
