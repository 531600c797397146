"""A sandbox that takes mails and text messages, with an account of every provider."""

import pytest

from config.demo import cast
from tests.sandbox.world import Running


@pytest.fixture
def providers(trusted_sandbox: Running, db: None) -> Running:
    """The sandbox, with a live and a test account of every provider."""
    cast._accounts(trusted_sandbox.state)
    return trusted_sandbox
