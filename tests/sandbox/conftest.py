"""One sandbox for all tests of a worker, emptied before each."""

from collections.abc import Iterator

import pytest

from tests.sandbox.contracts import Contract
from tests.sandbox.world import Running


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture
def sandbox(_running: Running) -> Running:
    """A sandbox without faults, memory or receipts."""
    _running.admin("DELETE", "record")
    _running.admin("DELETE", "faults")
    quiet = {"receipts": False, "receipt_delay_ms": 0, "sendgrid_events_url": "", "mandrill_events_url": ""}
    quiet |= {"twilio_inbound_url": "", "vonage_inbound_url": ""}
    _running.admin("PUT", "settings", quiet)
    return _running


@pytest.fixture(scope="session")
def fcm_contract() -> Contract:
    return Contract.load("fcm_v1.json")


@pytest.fixture(scope="session")
def twilio_contract() -> Contract:
    return Contract.load("twilio_api_v2010.json")


@pytest.fixture(scope="session")
def sendgrid_contract() -> Contract:
    return Contract.load("sendgrid_mail_v3.json")


@pytest.fixture(scope="session")
def mandrill_contract() -> Contract:
    return Contract.load("mandrill.json")


@pytest.fixture(scope="session")
def vonage_contract() -> Contract:
    return Contract.load("vonage_sms.json")
