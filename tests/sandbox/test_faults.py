"""Trouble can be ordered, provider by provider, and the record says what it did to whom."""

import time
from typing import Any
from uuid import uuid4

import pycurl
import pytest

from tests.sandbox.world import Running

#: CURLE_HTTP2_STREAM: curl.se/libcurl/c/libcurl-errors.html; pycurl has no name for it.
HTTP2_STREAM = 92
#: How libcurl reports an aborted stream, depending on whether the headers got through first.
ABORTED = {HTTP2_STREAM, pycurl.E_HTTP2, pycurl.E_GOT_NOTHING, pycurl.E_PARTIAL_FILE}
PROVIDERS = ("apns", "fcm", "jpush", "pushy", "twilio", "sendgrid", "mandrill", "vonage")


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("apns", lambda said: said.json()["reason"] == "ServiceUnavailable"),
        ("fcm", lambda said: said.json()["error"]["status"] == "UNAVAILABLE"),
        ("twilio", lambda said: said.json()["code"] == 20503),
        ("sendgrid", lambda said: said.json()["errors"][0]["message"] == "service unavailable"),
        ("mandrill", lambda said: said.json()["name"] == "ServiceUnavailable"),
        ("vonage", lambda said: said.json()["messages"][0]["status"] == "5"),
        ("jpush", lambda said: said.json()["error"]["code"] == 1030),
        ("pushy", lambda said: said.json()["code"] == "INTERNAL_SERVER_ERROR"),
        ("webpush", lambda said: (said.json()["code"], said.json()["errno"]) == (503, 201)),
    ],
)
def test_a_status_comes_in_the_providers_own_words(sandbox: Running, provider: str, words: Any) -> None:
    delivery_id = str(uuid4())
    ask = sandbox.asks(delivery_id)[provider]
    sandbox.admin("PUT", f"faults/{provider}", {"status": 503, "retry_after": 5})
    said = sandbox.send(ask)
    assert (said.status, said.headers["retry-after"]) == (503, "5")
    assert words(said)
    row = sandbox.row(delivery_id)
    assert (row["accepted"], row["refused"]) == (0, 1)


def test_a_reason_can_be_named(sandbox: Running) -> None:
    sandbox.admin("PUT", "faults/apns", {"status": 403, "reason": "ExpiredProviderToken"})
    assert sandbox.send(sandbox.apns()).json() == {"reason": "ExpiredProviderToken"}


def test_a_fault_stays_with_its_provider(sandbox: Running) -> None:
    sandbox.admin("PUT", "faults/apns", {"status": 500})
    assert sandbox.send(sandbox.twilio()).status == 201


def test_a_fault_ends_after_the_requests_that_remain(sandbox: Running) -> None:
    sandbox.admin("PUT", "faults/apns", {"status": 500, "remaining": 2})
    assert [sandbox.send(sandbox.apns()).status for _ in range(4)] == [500, 500, 200, 200]
    assert sandbox.admin("GET", "faults/apns").json()["remaining"] == 0


def test_a_fault_ends_when_it_is_deleted(sandbox: Running) -> None:
    sandbox.admin("PUT", "faults/apns", {"status": 500})
    assert sandbox.admin("DELETE", "faults/apns").status == 204
    assert sandbox.send(sandbox.apns()).status == 200


def test_a_rate_strikes_some_and_spares_some(sandbox: Running) -> None:
    sandbox.admin("PUT", "faults/apns", {"status": 500, "rate": 0.5})
    assert {sandbox.send(sandbox.apns()).status for _ in range(64)} == {200, 500}


def test_latency_delays_and_spares(sandbox: Running) -> None:
    sandbox.admin("PUT", "faults/apns", {"latency_ms": 200})
    before = time.monotonic()
    assert sandbox.send(sandbox.apns()).status == 200
    assert time.monotonic() - before >= 0.2


def test_a_timeout_takes_nothing_and_says_nothing(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    sandbox.admin("PUT", "faults/apns", {"mode": "timeout", "remaining": 1})
    said = sandbox.send(sandbox.apns(delivery_id=delivery_id).but(timeout=0.5))
    assert (said.status, said.error) == (0, pycurl.E_OPERATION_TIMEDOUT)
    assert sandbox.row(delivery_id)["refusals"] == {"timeout": 1}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("mode", "accepted"), [("reset", 0), ("reset_after_body", 1)])
def test_a_reset_stream_has_no_answer(sandbox: Running, provider: str, mode: str, accepted: int) -> None:
    delivery_id = str(uuid4())
    ask = sandbox.asks(delivery_id)[provider]
    sandbox.admin("PUT", f"faults/{provider}", {"mode": mode})
    said = sandbox.send(ask)
    assert said.error in ABORTED
    row = sandbox.row(delivery_id)
    assert (row["accepted"], row["refused"]) == (accepted, 1 - accepted)


@pytest.mark.parametrize(
    ("provider", "fault", "status", "says"),
    [
        ("pigeon", {}, 404, "apns, fcm, jpush, pushy, twilio, sendgrid, mandrill, vonage"),
        ("apns", {"rate": 1.5}, 422, "rate"),
        ("apns", {"latency": 5}, 422, "latency_ms"),
        ("apns", {"mode": "explode"}, 422, "mode"),
        ("apns", {"status": 200}, 422, "status"),
        ("apns", [], 422, "object"),
    ],
)
def test_a_bad_fault_is_refused_with_what_would_be_right(
    sandbox: Running, provider: str, fault: object, status: int, says: str
) -> None:
    said = sandbox.admin("PUT", f"faults/{provider}", fault)
    assert said.status == status
    assert says in said.json()["error"]
    assert sandbox.admin("GET", "faults").json() == {}
