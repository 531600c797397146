"""One sandbox for all tests of a worker, emptied before each."""

import pytest

from tests.sandbox.contracts import Contract
from tests.sandbox.world import Running


@pytest.fixture
def sandbox(running_sandbox: Running) -> Running:
    """A sandbox without faults, memory or receipts."""
    running_sandbox.empty()
    return running_sandbox


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
