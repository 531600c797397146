"""The sandbox refuses what Mandrill refuses, with Mandrill's errors, and our adapter understands both."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    Ambiguous,
    ContentBad,
    CredentialBad,
    NoFunds,
    OptedOut,
    Outcome,
    Response,
    Throttled,
    Transient,
)
from notifications.providers.mandrill.send import Mandrill
from templates_app.content import EmailText
from tests.providers.examples import message
from tests.sandbox.contracts import Contract
from tests.sandbox.world import Ask, Running


def test_a_good_message_is_sent_and_has_an_id(sandbox: Running, mandrill_contract: Contract) -> None:
    said = sandbox.send(sandbox.mandrill(sandbox.message()))
    assert (said.status, said.http_version) == (200, "2")
    [result] = said.json()
    assert (result["email"], result["status"]) == ("kim@people.example", "sent")
    assert len(result["_id"]) == 32
    mandrill_contract.check([_without_none(result)], "MessagesSendResponse")


def test_each_recipient_may_be_a_delivery_of_its_own(sandbox: Running) -> None:
    deliveries = {f"a{number}@people.example": str(uuid4()) for number in range(3)}
    changes = {
        "to": [{"email": email} for email in deliveries],
        "recipient_metadata": [
            {"rcpt": email, "values": {"bongsu_delivery_id": delivery}} for email, delivery in deliveries.items()
        ],
    }
    sandbox.send(sandbox.mandrill(sandbox.message() | changes))
    assert [sandbox.row(delivery)["accepted"] for delivery in deliveries.values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("recipients", "changes", "reason"),
    [(1, {"async": True}, None), (11, {}, "multiple-recipients"), (11, {"async": False}, "multiple-recipients")],
)
def test_what_is_taken_in_the_background_is_queued(
    sandbox: Running, recipients: int, changes: dict[str, Any], reason: str | None
) -> None:
    people = [{"email": f"a{number}@rejected-hard-bounce.example"} for number in range(recipients)]
    results = sandbox.send(sandbox.mandrill(sandbox.message() | {"to": people}, **changes)).json()
    assert [(result["status"], result["queued_reason"]) for result in results] == [("queued", reason)] * recipients


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"to": []}, '"to"'),
        ({"to": [{}]}, "email"),
        ({"to": [{"email": "nobody"}]}, '{"message":{"to":[{"email":"An email address must contain a single @"}]}}'),
        ({"to": [{"email": "a@b.example, c@d.example"}]}, "single @"),
        ({"to": [{"email": "a@b.example", "kind": "to"}]}, "kind"),
        ({"to": [{"email": "a@b.example", "type": "for"}]}, "type"),
        ({"from_email": "nobody"}, '{"message":{"from_email":"An email address must contain a single @"}}'),
        ({"from_email": None}, "from_email"),
        ({"subject": "x" * 999}, "subject"),
        ({"text": "", "html": ""}, "text"),
        ({"tags": ["_mine"]}, "tags"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"metadata": "x"}, "metadata"),
        ({"merge_language": "liquid"}, "merge_language"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_field_is_named(
    sandbox: Running, mandrill_contract: Contract, changes: dict[str, Any], says: str
) -> None:
    said = sandbox.send(sandbox.mandrill(sandbox.message() | changes))
    assert (said.status, said.json()["name"]) == (422, "ValidationError")
    assert says in said.json()["message"]
    mandrill_contract.check(said.json(), "ValidationError")


@pytest.mark.parametrize("changes", [{"colour": "red"}, {"async": "yes"}, {"send_at": 7}])
def test_a_bad_request_is_refused(sandbox: Running, changes: dict[str, Any]) -> None:
    said = sandbox.send(sandbox.mandrill(sandbox.message(), **changes))
    assert (said.status, said.json()["name"]) == (422, "ValidationError")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b"[]"])
def test_what_is_no_message_is_refused(sandbox: Running, body: bytes) -> None:
    assert sandbox.send(sandbox.mandrill(body)).status == 422


@pytest.mark.parametrize("key", ["md-wrong", "x"])
def test_a_key_is_looked_at_before_anything_else(sandbox: Running, mandrill_contract: Contract, key: str) -> None:
    said = sandbox.send(sandbox.mandrill({"colour": "red"}, key=key))
    assert said.status == 401
    mandrill_contract.check(said.json(), "InvalidKeyError")


def test_a_subaccount_must_exist(sandbox: Running, mandrill_contract: Contract) -> None:
    said = sandbox.send(sandbox.mandrill(sandbox.message(subaccount="spring")))
    assert (said.status, said.json()["name"]) == (404, "Unknown_Subaccount")
    mandrill_contract.check(said.json(), "MessageSubaccountNotFoundError")


@pytest.mark.parametrize("path", ["/api/1.4/messages/send-raw.json", "/api/2.0/messages/send.json", "/messages/send"])
def test_there_is_one_method(sandbox: Running, path: str) -> None:
    ask = sandbox.mandrill(sandbox.message())
    assert sandbox.send(ask.but(url=f"{sandbox.url}/mandrill{path}")).status == 404


# --- our adapter talks to it -------------------------------------------------------------------------
def _outcome(sandbox: Running, address: str, *, delivery_id: str = "", **changes: str) -> Outcome:
    """What our adapter says of a message to `address`, sent with our own request."""
    sample = sandbox.credentials["mandrill"] | changes
    account = Account("mail", sample["endpoint"], {"api_key": sample["api_key"]}, {"from_email": sample["from_email"]})
    text = EmailText("재입고", html="<p>안녕하세요</p>", text="안녕하세요")
    ours = message(text, address, delivery_id=UUID(delivery_id or str(uuid4())))
    request = Mandrill().compose(ours, account, None)
    said = sandbox.send(Ask(request.url, request.headers, request.body))
    return Mandrill().interpret(Response(said.status, said.headers, said.body))


def test_what_we_compose_is_taken_and_known_by_its_delivery(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    assert isinstance(_outcome(sandbox, "kim@people.example", delivery_id=delivery_id), Accepted)
    assert sandbox.row(delivery_id)["accepted"] == 1


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("kim@scheduled.example", Accepted),
        ("kim@queued-attachments.example", Accepted),
        ("kim@queued-hourly-quota-exhausted.example", Ambiguous),
        ("kim@queued-account-suspended.example", Ambiguous),
        ("kim@rejected-hard-bounce.example", AddressDead),
        ("kim@rejected-invalid.example", AddressDead),
        ("k im@people.example", AddressDead),
        ("kim@rejected-spam.example", OptedOut),
        ("kim@rejected-unsub.example", OptedOut),
        ("kim@rejected-soft-bounce.example", Transient),
        ("kim@rejected-custom.example", ContentBad),
        ("kim@rejected-rule.example", ContentBad),
        ("kim@rejected-invalid-sender.example", CredentialBad),
        ("kim@rejected-unsigned.example", CredentialBad),
        ("kim@rejected-test-mode-limit.example", NoFunds),
        ("kim@rejected-something-new.example", Transient),
        ("kim@invalid.example", ContentBad),
        ("nobody", ContentBad),
    ],
)
def test_an_address_with_a_fate_has_its_outcome(sandbox: Running, address: str, expected: type) -> None:
    delivery_id = str(uuid4())
    assert isinstance(_outcome(sandbox, address, delivery_id=delivery_id), expected)
    refused = 0 if address.startswith("kim@queued") or expected is Accepted else 1
    assert (sandbox.row(delivery_id)["accepted"], sandbox.row(delivery_id)["refused"]) == (1 - refused, refused)


@pytest.mark.parametrize("changes", [{"api_key": "md-wrong"}, {"from_email": "me@elsewhere.example"}])
def test_a_wrong_account_is_told_from_a_wrong_address(sandbox: Running, changes: dict[str, str]) -> None:
    assert isinstance(_outcome(sandbox, "kim@people.example", **changes), CredentialBad)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 401}, CredentialBad),
        ({"status": 402}, NoFunds),
        ({"status": 404}, CredentialBad),
        ({"status": 422}, ContentBad),
        ({"status": 429, "retry_after": 7}, Throttled),
        ({"status": 500, "retry_after": 7}, Transient),
        ({"status": 503, "retry_after": 7}, Transient),
        # version 1.0 of the API
        ({"status": 500, "reason": "Invalid_Key"}, CredentialBad),
        ({"status": 500, "reason": "PaymentRequired"}, NoFunds),
    ],
)
def test_an_ordered_fault_has_its_outcome(sandbox: Running, fault: dict[str, Any], expected: type) -> None:
    sandbox.admin("PUT", "faults/mandrill", fault)
    outcome = _outcome(sandbox, "kim@people.example")
    assert isinstance(outcome, expected)
    assert getattr(outcome, "retry_after", None) == fault.get("retry_after")


def _without_none(result: dict[str, Any]) -> dict[str, Any]:
    # The published document allows null by type and forgets it in the enumeration.
    return {name: value for name, value in result.items() if value is not None}
