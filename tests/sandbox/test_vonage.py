"""The sandbox refuses what Vonage refuses, with Vonage's statuses, and our adapter understands both."""

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

import pytest

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    ContentBad,
    CredentialBad,
    NoFunds,
    OptedOut,
    Outcome,
    Response,
    Throttled,
    Transient,
)
from notifications.providers.vonage.send import STATUSES, Vonage
from templates_app.content import SmsText
from tests.providers.examples import message
from tests.sandbox.contracts import Contract
from tests.sandbox.world import Ask, Running

#: Two parts in the 7-bit alphabet.
LONG = "a" * 161


def statuses(sandbox: Running, ask: Ask) -> list[str]:
    """The status of every part; the HTTP status is 200 whatever they are."""
    said = sandbox.send(ask)
    assert said.status == 200
    assert said.json()["message-count"] == str(len(said.json()["messages"]))
    return [part["status"] for part in said.json()["messages"]]


def test_a_good_message_is_answered_as_the_contract_says(sandbox: Running, vonage_contract: Contract) -> None:
    delivery_id = str(uuid4())
    said = sandbox.send(sandbox.vonage(delivery_id))
    assert (said.status, said.http_version) == (200, "2")
    vonage_contract.check(said.json(), "SMS")
    [part] = said.json()["messages"]
    assert (part["status"], part["client-ref"], part["to"]) == ("0", delivery_id, "821012345678")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"api_key": None}, "2"),
        ({"api_secret": None}, "2"),
        ({"to": None}, "2"),
        ({"from": None}, "2"),
        ({"text": None}, "2"),
        ({"text": ""}, "2"),
        ({"api_key": "00000000"}, "4"),
        ({"api_secret": "wrong secret"}, "4"),
        ({"api_secret": "서명"}, "4"),
        ({"to": "+821012345678"}, "3"),
        ({"to": "123456"}, "3"),
        ({"to": "1234567890123456"}, "3"),
        ({"from": "A name too long"}, "3"),
        ({"from": "821000000000"}, "15"),
        ({"from": "Bongsu", "to": "12015550123"}, "15"),
        ({"type": "binary"}, "3"),
        ({"ttl": "19999"}, "3"),
        ({"ttl": "604800001"}, "3"),
        ({"ttl": "5m"}, "3"),
        ({"client-ref": "x" * 101}, "3"),
        ({"text": "가" * 3201}, "12"),
        ({"callback": "not a url"}, "23"),
        ({"callback": "http://[broken"}, "23"),
        ({"callback": "https://bongsu.test/" + "x" * 81}, "23"),
        ({"txet": "x"}, "3"),
    ],
)
def test_a_bad_form_is_refused_with_its_status(
    sandbox: Running, vonage_contract: Contract, form: dict[str, Any], status: str
) -> None:
    said = sandbox.send(sandbox.vonage(**form))
    assert said.status == 200
    vonage_contract.check(said.json(), "Error")
    assert [part["status"] for part in said.json()["messages"]] == [status]


def test_only_a_form_that_is_posted_is_read(sandbox: Running) -> None:
    ask = sandbox.vonage()
    assert statuses(sandbox, ask.with_headers(content_type="application/json")) == ["2"]
    assert statuses(sandbox, ask.but(method="PUT")) == ["2"]
    assert sandbox.send(ask.but(url=ask.url.replace("/json", "/xml"))).status == 404


# --- signed requests, which our adapter does not send ------------------------------------------------
def signed(sandbox: Running, *, at: float | None = None, **changes: str | None) -> Ask:
    ask = sandbox.vonage(api_secret=None, timestamp=str(int(at or time.time())), **changes)
    fields = dict(parse_qsl(ask.body.decode()))
    text = "".join(f"&{name}={fields[name].replace('&', '_').replace('=', '_')}" for name in sorted(fields))
    secret = sandbox.credentials["vonage"]["signature_secret"]
    sig = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return ask.but(body=urlencode(fields | {"sig": sig}).encode())


def test_a_signature_stands_for_the_secret(sandbox: Running) -> None:
    assert statuses(sandbox, signed(sandbox, text="R&D = fun")) == ["0"]


def test_a_signature_must_fit_be_recent_and_stand_alone(sandbox: Running) -> None:
    good = signed(sandbox)
    assert statuses(sandbox, good.but(body=good.body + b"&ttl=20000")) == ["14"]
    assert statuses(sandbox, signed(sandbox, at=time.time() - 400)) == ["14"]
    assert statuses(sandbox, good.but(body=good.body + b"&api_secret=x")) == ["32"]


# --- parts -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("a" * 160, "text", 1),
        (LONG, "text", 2),
        ("€" * 81, "text", 2),
        ("가" * 70, "unicode", 1),
        ("가" * 71, "unicode", 2),
        ("a" * 71, "unicode", 2),
        ("🔥" * 36, "unicode", 2),
    ],
)
def test_a_long_text_has_an_entry_for_each_part(sandbox: Running, text: str, kind: str, parts: int) -> None:
    said = sandbox.send(sandbox.vonage(text=text, type=kind)).json()
    assert [part["status"] for part in said["messages"]] == ["0"] * parts
    assert len({part["message-id"] for part in said["messages"]}) == parts


def test_what_the_alphabet_lacks_is_lost_unless_it_is_sent_as_unicode(sandbox: Running) -> None:
    sandbox.send(sandbox.vonage(text="봉수 ok", type="text"))
    sandbox.send(sandbox.vonage(text="봉수 ok", type="unicode"))
    found = sandbox.send(Ask(f"{sandbox.url}/inbox/messages", method="GET")).json()["messages"]
    assert [shown["body"] for shown in found] == ["봉수 ok", "?? ok"]


# --- our adapter talks to it -------------------------------------------------------------------------
def outcome(
    sandbox: Running, address: str, *, text: str = "안녕하세요", delivery_id: str = "", sender: str = "", **wrong: str
) -> Outcome:
    """What our adapter says of a message to `address`, sent with our own request."""
    sample = sandbox.credentials["vonage"] | wrong
    account = Account("sms", sample["endpoint"], sample, {"sender": sender or sample["from_number"]})
    ours = message(SmsText(text), address, delivery_id=UUID(delivery_id or str(uuid4())))
    request = Vonage().compose(ours, account, None)
    said = sandbox.send(Ask(request.url, request.headers, request.body))
    return Vonage().interpret(Response(said.status, said.headers, said.body))


@pytest.mark.parametrize("text", ["안녕하세요", "Hello & goodbye = 1", LONG, "가" * 300])
def test_what_we_compose_is_taken_and_known_by_its_delivery(sandbox: Running, text: str) -> None:
    delivery_id = str(uuid4())
    taken = outcome(sandbox, "+821012345678", text=text, delivery_id=delivery_id)
    assert isinstance(taken, Accepted)
    assert taken.provider_ref
    assert sandbox.row(delivery_id)["accepted"] == 1


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_a_number_with_a_fate_has_its_outcome(sandbox: Running, status: int) -> None:
    delivery_id = str(uuid4())
    refused = outcome(sandbox, f"+4477009000{status:02}", delivery_id=delivery_id)
    verdict, sentence = STATUSES[status]
    assert refused == verdict(f"{status}: {sentence}")
    assert sandbox.row(delivery_id)["refusals"] == {f"200 {status}": 1}


@pytest.mark.parametrize("status", [1, 5, 7, 9, 33])
def test_a_message_taken_in_part_is_not_sent_again(sandbox: Running, status: int) -> None:
    delivery_id, number = str(uuid4()), f"+4477009002{status:02}"
    assert isinstance(outcome(sandbox, number, text=LONG, delivery_id=delivery_id), ContentBad)
    assert sandbox.row(delivery_id)["accepted"] == 1
    assert isinstance(outcome(sandbox, number, text="one part"), Accepted)


@pytest.mark.parametrize(
    ("wrong", "expected"), [({"api_secret": "wrong secret"}, CredentialBad), ({"sender": "821000000000"}, ContentBad)]
)
def test_a_wrong_account_is_told_from_a_wrong_number(sandbox: Running, wrong: dict[str, str], expected: type) -> None:
    assert isinstance(outcome(sandbox, "+821012345678", **wrong), expected)


@pytest.mark.parametrize(
    ("fault", "http", "expected"),
    [
        ({"status": 401}, 401, CredentialBad),
        ({"status": 429, "retry_after": 7}, 429, Throttled),
        ({"status": 500, "retry_after": 7}, 500, Transient),
        ({"status": 503}, 503, Transient),
        ({"status": 500, "reason": "1", "retry_after": 7}, 200, Throttled),
        ({"status": 500, "reason": "7"}, 200, OptedOut),
        ({"status": 500, "reason": "9"}, 200, NoFunds),
        ({"status": 500, "reason": "33"}, 200, AddressDead),
        ({"status": 500, "reason": "77"}, 200, Transient),
    ],
)
def test_an_ordered_fault_has_its_outcome(sandbox: Running, fault: dict[str, Any], http: int, expected: type) -> None:
    sandbox.admin("PUT", "faults/vonage", fault)
    assert sandbox.send(sandbox.vonage()).status == http
    found = outcome(sandbox, "+821012345678")
    assert isinstance(found, expected)
    assert getattr(found, "retry_after", None) == fault.get("retry_after")
