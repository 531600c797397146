"""The simulators answer the requests by which accounts are tried, as the real ones do, and nothing else follows."""

import base64
import json
from collections.abc import Mapping

import pytest

from tests.sandbox.contracts import Contract
from tests.sandbox.world import Ask, Running


def basic(name: str, secret: str) -> Mapping[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def asks(sandbox: Running, secret: str = "") -> dict[str, Ask]:
    twilio, vonage = sandbox.credentials["twilio"], sandbox.credentials["vonage"]
    sid = twilio["account_sid"]
    bearer = {"authorization": f"Bearer {secret or sandbox.credentials['sendgrid']['api_key']}"}
    key = {"key": secret or sandbox.credentials["mandrill"]["api_key"]}
    return {
        "twilio": Ask(
            f"{sandbox.url}/twilio/2010-04-01/Accounts/{sid}.json",
            basic(sid, secret or twilio["auth_token"]),
            method="GET",
        ),
        "vonage": Ask(
            f"{sandbox.url}/vonage/account/get-balance",
            basic(vonage["api_key"], secret or vonage["api_secret"]),
            method="GET",
        ),
        "sendgrid": Ask(f"{sandbox.url}/sendgrid/v3/scopes", bearer, method="GET"),
        "mandrill": Ask(
            f"{sandbox.url}/mandrill/api/1.4/users/ping2.json",
            {"content-type": "application/json"},
            json.dumps(key).encode(),
        ),
    }


NAMES = ["twilio", "vonage", "sendgrid", "mandrill"]


@pytest.mark.parametrize("name", NAMES)
def test_a_customer_is_known(sandbox: Running, name: str) -> None:
    said = sandbox.send(asks(sandbox)[name])
    assert said.status == 200
    expected = {"twilio": "status", "vonage": "value", "sendgrid": "scopes", "mandrill": "PING"}
    assert expected[name] in said.json()


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_is_not(sandbox: Running, name: str) -> None:
    assert sandbox.send(asks(sandbox, "wrong")[name]).status == 401


@pytest.mark.parametrize("name", NAMES)
def test_nothing_follows_from_being_asked(sandbox: Running, name: str) -> None:
    urls = {"sendgrid_events_url": "http://127.0.0.1:9/", "mandrill_events_url": "http://127.0.0.1:9/"}
    sandbox.admin("PUT", "settings", {"receipts": True, **urls})
    sandbox.send(asks(sandbox)[name])

    counts = sandbox.admin("GET", "counts").json()

    assert counts["providers"][name]["accepted"] == counts["providers"][name]["deliveries"] == 0
    assert counts["receipts"]["waiting"] == 0


def test_twilios_account_fits_its_specification(sandbox: Running) -> None:
    contract = Contract.load("twilio_api_v2010.json")
    contract.check(sandbox.send(asks(sandbox)["twilio"]).json(), "api.v2010.account")


def test_mandrills_pong_fits_its_specification(sandbox: Running) -> None:
    contract = Contract.load("mandrill.json")
    contract.check(sandbox.send(asks(sandbox)["mandrill"]).json(), "UsersPing2Response")


def test_a_dry_run_reaches_nobody(sandbox: Running) -> None:
    whole = {"validateOnly": True, "message": {"topic": "bongsu-check", "notification": {"title": "a", "body": "b"}}}
    said = sandbox.send(sandbox.fcm(whole=whole))
    assert said.status == 200
    assert sandbox.admin("GET", "counts").json()["providers"]["fcm"]["accepted"] == 0


def test_a_push_to_no_device_is_refused_only_after_key_and_topic(sandbox: Running) -> None:
    ask = sandbox.apns("0")
    assert sandbox.send(ask).json() == {"reason": "BadDeviceToken"}
    assert sandbox.send(ask.with_headers(apns_topic="com.example.other")).json() == {"reason": "TopicDisallowed"}
    assert sandbox.send(ask.with_headers(authorization="bearer wrong")).json() == {"reason": "InvalidProviderToken"}
