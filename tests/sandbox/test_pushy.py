"""The sandbox refuses what Pushy refuses, with Pushy's codes, and our adapter understands it."""

import json
from typing import Any
from uuid import uuid4

import pytest

from notifications.providers.contract import Accepted, Account, AddressDead, Outcome, Response, Throttled
from notifications.providers.pushy.send import CODES, Pushy
from templates_app.content import PushText
from tests.providers.examples import message
from tests.sandbox.world import PUSHY_TOKEN, Ask, Running

#: The beginning of a token that gets a code.
FATES = {
    "dead0400": "NO_RECIPIENTS",
    "dead0401": "INVALID_API_KEY",
    "dead0402": "ACCOUNT_SUSPENDED",
    "dead0403": "AUTH_LIMIT_EXCEEDED",
    "dead0412": "NO_APNS_AUTH",
    "dead0413": "PAYLOAD_LIMIT_EXCEEDED",
    "dead0422": "INVALID_PARAM",
    "dead0429": "RATE_LIMIT_EXCEEDED",
    "dead0500": "INTERNAL_SERVER_ERROR",
}


def test_a_good_push_is_answered_with_an_id_and_how_many_it_reaches(sandbox: Running) -> None:
    said = sandbox.send(sandbox.pushy())
    assert (said.status, said.http_version) == (200, "2")
    answer = said.json()
    assert (answer["success"], answer["info"]) == (True, {"devices": 1, "failed": []})
    assert len(bytes.fromhex(answer["id"])) == 12


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": ""}, "NO_RECIPIENTS"),
        ({"to": []}, "INVALID_PARAM"),
        ({"to": 7}, "INVALID_PARAM"),
        ({"to": "no token"}, "NO_RECIPIENTS"),
        ({"to": ["no token", "nor this"]}, "NO_RECIPIENTS"),
        ({"to": "/topics/with space"}, "INVALID_PARAM"),
        ({"to": [f"/topics/{number}" for number in range(101)]}, "INVALID_PARAM"),
        ({"data": {}}, "INVALID_PARAM"),
        ({"data": "text"}, "INVALID_PARAM"),
        ({"data": {"message": "가" * 1400}}, "PAYLOAD_LIMIT_EXCEEDED"),
        ({"time_to_live": 0}, "INVALID_PARAM"),
        ({"time_to_live": 31_536_001}, "INVALID_PARAM"),
        ({"time_to_live": "3600"}, "INVALID_PARAM"),
        ({"collapse_key": "k" * 33}, "INVALID_PARAM"),
        ({"notification": {"tilte": "x"}}, "INVALID_PARAM"),
        ({"ttl": 3600}, "INVALID_PARAM"),
    ],
)
def test_a_bad_push_is_refused_with_its_code(sandbox: Running, changes: dict[str, Any], code: str) -> None:
    said = sandbox.send(sandbox.pushy(**changes))
    assert (said.status, said.json()["code"]) == (400, code)
    assert said.json()["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b"[]", b"{}"])
def test_what_is_no_push_is_refused(sandbox: Running, body: bytes) -> None:
    assert sandbox.send(sandbox.pushy().but(body=body)).json()["code"] == "INVALID_PARAM"


def test_only_the_apps_own_key_opens(sandbox: Running) -> None:
    url = sandbox.pushy().url
    for wrong in (url + "x", url.partition("?")[0], url.replace("api_key", "key")):
        said = sandbox.send(sandbox.pushy().but(url=wrong))
        assert (said.status, said.json()["code"]) == (401, "INVALID_API_KEY")


def test_only_json_that_is_posted_to_the_right_place_is_read(sandbox: Running) -> None:
    ask = sandbox.pushy()
    assert sandbox.send(ask.with_headers(content_type="text/plain")).json()["code"] == "INVALID_PARAM"
    assert sandbox.send(ask.but(method="PUT")).status == 404
    assert sandbox.send(ask.but(url=ask.url.replace("/push?", "/pushes?"))).status == 404


def test_of_several_tokens_the_unknown_ones_are_named_and_the_others_get_it(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    said = sandbox.send(sandbox.pushy(delivery_id, to=[PUSHY_TOKEN, "unknown"]))
    assert said.json()["info"] == {"devices": 1, "failed": ["unknown"]}
    row = sandbox.row(delivery_id)
    assert [attempt["address"] for attempt in row["attempts"]] == [PUSHY_TOKEN]


def test_the_key_is_written_nowhere(sandbox: Running) -> None:
    delivery_id, key = str(uuid4()), sandbox.credentials["pushy"]["api_key"]
    for ask in (sandbox.pushy(delivery_id), sandbox.pushy(delivery_id, ttl=1)):
        sandbox.send(ask)
    for path in (f"record/{delivery_id}", "record", "counts", "faults"):
        assert key not in sandbox.admin("GET", path).body.decode()
    seen = sandbox.send(Ask(f"{sandbox.url}/inbox/messages", method="GET"))
    assert seen.json()["messages"]
    assert key not in seen.body.decode()


# --- fates, and what our adapter makes of them --------------------------------------------------------
def sent(sandbox: Running, token: str = PUSHY_TOKEN, text: PushText | None = None, **overrides: Any) -> Outcome:
    """What our adapter makes of the sandbox's answer."""
    given = sandbox.credentials["pushy"]
    account = Account("pushy", given["endpoint"], {"api_key": given["api_key"]})
    Pushy().check(account)
    said_what = text or PushText("재입고", "안녕하세요")
    request = Pushy().compose(message(said_what, token, **overrides), account, None)
    said = sandbox.send(Ask(request.url, request.headers, request.body))
    return Pushy().interpret(Response(said.status, said.headers, said.body))


@pytest.mark.parametrize(("start", "code"), FATES.items())
def test_every_code_can_be_ordered_by_a_device(sandbox: Running, start: str, code: str) -> None:
    outcome = sent(sandbox, start + "0" * 14)
    verdict, _ = CODES[code]
    assert type(outcome) is verdict
    assert outcome.detail.startswith(code)  # type: ignore[union-attr]


def test_there_is_a_fate_for_every_code() -> None:
    assert set(FATES.values()) == set(CODES)


def test_a_token_that_failed_in_an_answer_of_success_was_reached_by_nothing(sandbox: Running) -> None:
    delivery_id = uuid4()
    assert isinstance(sent(sandbox, "dead0404" + "0" * 14, delivery_id=delivery_id), AddressDead)
    row = sandbox.row(str(delivery_id))
    assert (row["accepted"], row["refused"]) == (0, 1)


def test_what_our_adapter_sends_is_taken(sandbox: Running) -> None:
    delivery_id = uuid4()
    rich = PushText("t", "b", "https://x/i.png", "app://item/1", "ping", "a collapse key of more than 32 characters")
    assert isinstance(sent(sandbox, text=rich, delivery_id=delivery_id, data={"item": "1"}), Accepted)
    [attempt] = sandbox.row(str(delivery_id))["attempts"]
    assert json.loads(attempt["body"])["data"]["item"] == "1"


def test_who_is_too_fast_is_told_how_long_to_wait(sandbox: Running) -> None:
    sandbox.admin("PUT", "faults/pushy", {"status": 429, "retry_after": 17})
    outcome = sent(sandbox)
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == 17
