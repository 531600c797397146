"""The sandbox remembers exactly what it was sent, delivery by delivery."""

import json
import time
from uuid import uuid4

import pytest

from tests.sandbox.world import Running

PROVIDERS = ("apns", "fcm", "jpush", "pushy", "twilio", "sendgrid", "mandrill", "vonage")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_delivery_is_found_with_its_address_and_body(sandbox: Running, provider: str) -> None:
    delivery_id, before = str(uuid4()), time.time()
    ask = sandbox.asks(delivery_id)[provider]
    sandbox.send(ask)
    row = sandbox.row(delivery_id)
    assert (row["provider"], row["accepted"], row["refused"], row["refusals"]) == (provider, 1, 0, None)
    assert before <= row["first_at"] == row["last_at"] <= time.time()
    [attempt] = row["attempts"]
    if provider != "webpush":  # what its reader makes of it is in tests/sandbox/test_webpush.py
        assert attempt["body"].encode() == ask.body
    assert attempt["address"]
    assert attempt["refused"] == ""


def test_every_attempt_counts_and_refusals_keep_their_reason(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    dead = sandbox.apns("dead0410" + "ab" * 28, delivery_id)
    for ask in (dead, dead, sandbox.apns(delivery_id=delivery_id), sandbox.apns(delivery_id=delivery_id)):
        sandbox.send(ask)
    row = sandbox.row(delivery_id)
    assert (row["accepted"], row["refused"], row["refusals"]) == (2, 2, {"410 Unregistered": 2})
    assert row["first_at"] < row["last_at"]
    counts = sandbox.admin("GET", "counts").json()["providers"]["apns"]
    assert counts == {
        "requests": 4, "accepted": 2, "accepted_again": 1, "refused": 2, "deliveries": 1, "without_id": 0,
        "refusals": {"410 Unregistered": 2},
    }  # fmt: skip


def test_the_record_is_a_line_a_delivery(sandbox: Running) -> None:
    sent = {provider: str(uuid4()) for provider in PROVIDERS}
    for provider, delivery_id in sent.items():
        sandbox.send(sandbox.asks(delivery_id)[provider])
    lines = [json.loads(line) for line in sandbox.admin("GET", "record").body.splitlines()]
    assert {line["provider"]: line["id"] for line in lines} == sent
    only = [json.loads(line) for line in sandbox.admin("GET", "record?provider=fcm").body.splitlines()]
    assert [line["id"] for line in only] == [sent["fcm"]]


def test_the_record_can_start_at_a_time(sandbox: Running) -> None:
    early, late = str(uuid4()), str(uuid4())
    sandbox.send(sandbox.apns(delivery_id=early))
    since = time.time()
    sandbox.send(sandbox.apns(delivery_id=late))
    lines = sandbox.admin("GET", f"record?since={since}").body.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [late]


def test_deleting_the_record_forgets_everything(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    sandbox.send(sandbox.apns(delivery_id=delivery_id))
    assert sandbox.admin("DELETE", "record").status == 204
    assert sandbox.admin("GET", "record").body == b""
    assert sandbox.admin("GET", f"record/{delivery_id}").status == 404
    assert sandbox.admin("GET", "counts").json()["providers"] == {}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("record/unknown", 404, "Nothing was sent"),
        ("record?provider=pigeon", 404, "apns, fcm, jpush, pushy, twilio, sendgrid, mandrill, vonage"),
        ("record?since=yesterday", 422, "epoch seconds"),
        ("recrod", 404, "README"),
    ],
)
def test_a_bad_question_is_answered_with_what_would_be_right(
    sandbox: Running, path: str, status: int, says: str
) -> None:
    said = sandbox.admin("GET", path)
    assert said.status == status
    assert says in said.json()["error"]
