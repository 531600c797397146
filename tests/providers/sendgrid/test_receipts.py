import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.providers.contract import Account, Callback, Forged, Receipt
from notifications.providers.sendgrid.receipts import EVENTS, SendGridReceipts
from notifications.vocabulary import ReceiptKind
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, LINKS

URL = "https://bongsu.test/webhooks/sendgrid/mail"
KEY = ec.generate_private_key(ec.SECP256R1())
BODY = b'[{"event":"delivered"}]\r\n'


def public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """As SendGrid shows it: base64 of DER, without armour."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def account(webhook_public_key: str) -> Account:
    return Account("mail", "https://sendgrid.test", {"webhook_public_key": webhook_public_key})


ACCOUNT = account(public(KEY))


def callback(
    body: bytes = BODY, *, signed: bytes | None = None, at: datetime = AT, key: ec.EllipticCurvePrivateKey = KEY
) -> Callback:
    """A call at noon, signed by `key` at `at` over `signed`, which is its body unless somebody changed that."""
    timestamp = str(int(at.timestamp()))
    signature = key.sign(timestamp.encode() + (body if signed is None else signed), ec.ECDSA(SHA256()))
    return with_headers(body, timestamp, b64encode(signature).decode())


def with_headers(body: bytes, timestamp: str, signature: str) -> Callback:
    headers = {
        "x-twilio-email-event-webhook-timestamp": timestamp,
        "x-twilio-email-event-webhook-signature": signature,
    }
    return Callback(URL, headers, body, AT)


def parse(*events: dict[str, Any]) -> list[Receipt]:
    whole = [
        {"bongsu_delivery_id": str(DELIVERY), "timestamp": 1763899200, "sg_event_id": "e1", "email": "kim@x.example"}
        | event
        for event in events
    ]
    return list(SendGridReceipts().parse(callback(json.dumps(whole).encode())))


def kinds(**event: Any) -> list[ReceiptKind]:
    return [receipt.kind for receipt in parse(event)]


# --- who says it -------------------------------------------------------------------------------------
@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_a_call_that_sendgrid_signed_just_now_is_genuine(minutes: int) -> None:
    SendGridReceipts().verify(callback(at=AT + timedelta(minutes=minutes)), ACCOUNT)


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), timedelta(days=1), -timedelta(minutes=5, seconds=1)])
def test_a_call_that_was_signed_long_ago_or_in_the_future_is_forged(age: timedelta) -> None:
    with pytest.raises(Forged, match="five minutes"):
        SendGridReceipts().verify(callback(at=AT - age), ACCOUNT)


NOW = str(int(AT.timestamp()))


@pytest.mark.parametrize(
    "forged",
    [
        callback(key=ec.generate_private_key(ec.SECP256R1())),
        callback(signed=BODY.replace(b"delivered", b"bounce")),
        callback(signed=BODY.strip()),  # the raw bytes count, not what they mean
        with_headers(BODY, NOW, ""),
        with_headers(BODY, NOW, "nonsense"),
        with_headers(BODY, NOW, "서명"),
        with_headers(BODY, NOW, b64encode(b"\x30\x06\x02\x01\x00\x02\x01\x00").decode()),
        with_headers(BODY, str(int(NOW) + 1), callback().headers["x-twilio-email-event-webhook-signature"]),
        with_headers(BODY, "", callback().headers["x-twilio-email-event-webhook-signature"]),
        Callback(URL, {}, BODY, AT),
    ],
)
def test_a_call_with_a_wrong_signature_or_a_changed_body_or_timestamp_is_forged(forged: Callback) -> None:
    with pytest.raises(Forged):
        SendGridReceipts().verify(forged, ACCOUNT)


@pytest.mark.parametrize("timestamp", ["", "noon", "9" * 30, "9" * 5000, "-" + "9" * 20, "1e9"])
def test_a_signed_timestamp_that_is_no_moment_is_forged(timestamp: str) -> None:
    signature = b64encode(KEY.sign(timestamp.encode() + BODY, ec.ECDSA(SHA256()))).decode()
    with pytest.raises(Forged):
        SendGridReceipts().verify(with_headers(BODY, timestamp, signature), ACCOUNT)


@pytest.mark.parametrize(
    "key", ["", "nonsense", "서명", b64encode(b"\x00" * 91).decode(), public(rsa.generate_private_key(65537, 2048))]
)
def test_an_account_without_a_usable_verification_key_takes_no_calls(key: str) -> None:
    with pytest.raises(Forged, match="webhook_public_key"):
        SendGridReceipts().verify(callback(), account(key))


# --- what it says ------------------------------------------------------------------------------------
def test_a_receipt_names_the_delivery_the_moment_and_itself() -> None:
    [receipt] = parse({"event": "delivered", "response": "250 OK", "sg_event_id": "abc"})
    moment = datetime(2025, 11, 23, 12, 0, tzinfo=UTC)
    assert receipt == Receipt(DELIVERY, ReceiptKind.DELIVERED, moment, "250 OK", "abc")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": "delivered"}, [ReceiptKind.DELIVERED]),
        ({"event": "deferred"}, [ReceiptKind.DEFERRED]),
        ({"event": "open"}, [ReceiptKind.OPENED]),
        ({"event": "click"}, [ReceiptKind.CLICKED]),
        ({"event": "spamreport"}, [ReceiptKind.COMPLAINED]),
        ({"event": "unsubscribe"}, [ReceiptKind.OPTED_OUT]),
        ({"event": "group_unsubscribe"}, [ReceiptKind.OPTED_OUT]),
        # A hard bounce kills the address; a block, by a full mailbox or a filter, does not.
        ({"event": "bounce"}, [ReceiptKind.BOUNCED]),
        ({"event": "bounce", "type": "bounce"}, [ReceiptKind.BOUNCED]),
        ({"event": "bounce", "type": "blocked"}, [ReceiptKind.BLOCKED]),
        # Dropped: only what SendGrid knows of the address counts against the address.
        ({"event": "dropped", "reason": "Bounced Address"}, [ReceiptKind.BOUNCED]),
        ({"event": "dropped", "reason": "Invalid"}, [ReceiptKind.BOUNCED]),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, [ReceiptKind.FAILED, ReceiptKind.OPTED_OUT]),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, [ReceiptKind.FAILED, ReceiptKind.COMPLAINED]),
        ({"event": "dropped", "reason": "Spam Content (if spam checker app enabled)"}, [ReceiptKind.FAILED]),
        ({"event": "dropped", "reason": "Recipient List over Package Quota"}, [ReceiptKind.FAILED]),
        ({"event": "dropped", "reason": "Invalid SMTPAPI header"}, [ReceiptKind.FAILED]),
        ({"event": "dropped"}, [ReceiptKind.FAILED]),
        # Nothing that changes a delivery.
        ({"event": "processed"}, []),
        ({"event": "group_resubscribe"}, []),
        ({"event": "something_new"}, []),
    ],
)
def test_every_event_has_its_receipts(event: dict[str, str], expected: list[ReceiptKind]) -> None:
    assert kinds(**event) == expected


def test_the_table_has_no_event_that_is_not_tested() -> None:
    (table,) = test_every_event_has_its_receipts.pytestmark  # type: ignore[attr-defined]
    assert set(EVENTS) <= {event["event"] for event, _ in table.args[1]}


def test_two_pieces_of_news_in_one_event_have_two_names() -> None:
    refs = [receipt.event_ref for receipt in parse({"event": "dropped", "reason": "Unsubscribed Address"})]
    assert refs == ["e1", "e1:opted_out"]


def test_a_batch_gives_all_its_receipts_and_leaves_out_what_is_not_ours() -> None:
    found = parse(
        {"event": "delivered", "sg_event_id": "1"},
        {"event": "delivered", "bongsu_delivery_id": "somebody else's"},
        {"event": "delivered", "bongsu_delivery_id": None},
        {"event": 7},
        {"event": "delivered", "timestamp": "soon"},
        {"event": "delivered", "timestamp": 1e300},
        {"event": "open", "sg_event_id": "2"},
    )
    assert [(receipt.kind, receipt.event_ref) for receipt in found] == [
        (ReceiptKind.DELIVERED, "1"),
        (ReceiptKind.OPENED, "2"),
    ]


def test_what_a_mail_server_says_is_kept_without_addresses_or_control_characters() -> None:
    reason = "550 5.1.1 <kim@people.example>: unknown\r\n\x1b[31m user kim@people.example " + "!" * 1000
    [receipt] = parse({"event": "bounce", "reason": reason})
    assert receipt.detail.startswith("550 5.1.1 <(address)>: unknown[31m user (address)")
    assert "kim" not in receipt.detail
    assert len(receipt.detail) == 300


@pytest.mark.parametrize("body", [*HOSTILE_BODIES, b"[null, 7, [], {}]"], ids=range(len(HOSTILE_BODIES) + 1))
def test_a_body_that_makes_no_sense_has_no_receipts(body: bytes) -> None:
    assert SendGridReceipts().parse(callback(body)) == []


def test_an_open_that_apples_proxy_caused_says_so() -> None:
    [program, person] = parse({"event": "open", "sg_machine_open": True}, {"event": "open", "sg_machine_open": False})

    assert program.detail.startswith("machine:")
    assert not person.detail


@pytest.mark.parametrize(("url", "told"), LINKS)
def test_a_click_says_where_it_led_and_not_whose_it_was(url: str | None, told: str) -> None:
    [receipt] = parse({"event": "click", "url": url})

    assert receipt.detail == told
