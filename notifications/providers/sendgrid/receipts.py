"""SendGrid's event webhook: a signed JSON array of what happened to messages."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from notifications.providers.contract import Account, BadAccount, Callback, Forged, Receipt, read
from notifications.providers.mail import place_of, without_addresses
from notifications.vocabulary import MACHINE, ReceiptKind

#: How far the signed timestamp may be from now: a call that was overheard is worthless afterwards.
TOLERANCE: Final = timedelta(minutes=5)

#: twilio.com/docs/sendgrid, "Event Webhook Reference", read 2026-11. `bounce` and `dropped` depend on why.
EVENTS: Final[Mapping[str, ReceiptKind]] = {
    "delivered": ReceiptKind.DELIVERED,
    "deferred": ReceiptKind.DEFERRED,
    "spamreport": ReceiptKind.COMPLAINED,
    "unsubscribe": ReceiptKind.OPTED_OUT,
    "group_unsubscribe": ReceiptKind.OPTED_OUT,
    "open": ReceiptKind.OPENED,
    "click": ReceiptKind.CLICKED,
}

#: The reasons of `dropped`, lower case: SendGrid did not even try. Others, such as spam content, are not the address's.
DROPS: Final[Mapping[str, Sequence[ReceiptKind]]] = {
    "bounced address": (ReceiptKind.BOUNCED,),
    "invalid": (ReceiptKind.BOUNCED,),
    "unsubscribed address": (ReceiptKind.FAILED, ReceiptKind.OPTED_OUT),
    "spam reporting address": (ReceiptKind.FAILED, ReceiptKind.COMPLAINED),
}


class Event(msgspec.Struct):
    """One event. Our custom argument stands beside SendGrid's own fields."""

    event: str
    timestamp: float
    bongsu_delivery_id: UUID
    sg_event_id: str = ""
    type: str = ""
    reason: str = ""
    response: str = ""
    url: str | None = None
    #: Apple's Mail Privacy Protection fetched the pictures, whether or not anybody looked ("Event Webhook Reference").
    sg_machine_open: bool | None = None


_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_EVENT: Final = msgspec.json.Decoder(Event)


class SendGridReceipts:
    """The signed event webhook ("Getting Started with the Event Webhook Security Features")."""

    def verify(self, callback: Callback, account: Account) -> None:
        """ECDSA on P-256 over the timestamp and the raw body; an account without a verification key takes none."""
        timestamp = callback.headers.get("x-twilio-email-event-webhook-timestamp", "")
        try:
            key = public_key(account)
        except BadAccount as error:
            raise Forged(str(error)) from error
        try:
            signature = b64decode(callback.headers.get("x-twilio-email-event-webhook-signature", ""), validate=True)
            key.verify(signature, timestamp.encode() + callback.body, ECDSA(SHA256()))
            signed_at = datetime.fromtimestamp(int(timestamp), tz=UTC)
        except (InvalidSignature, ValueError, OverflowError, OSError) as error:
            raise Forged("the signature of the event webhook does not fit") from error
        if abs(callback.at - signed_at) > TOLERANCE:
            raise Forged("the event webhook was signed more than five minutes ago")

    def parse(self, callback: Callback) -> Sequence[Receipt]:
        """The receipts of every event that names a delivery of ours."""
        return [receipt for raw in read(callback.body, _ARRAY) or () for receipt in _receipts(bytes(raw))]


def public_key(account: Account) -> EllipticCurvePublicKey:
    """The key that this account's calls are checked with. Raises `BadAccount` where there is none that can be read."""
    given = account.credentials.get("webhook_public_key", "")
    try:
        key = load_der_public_key(b64decode(given, validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadAccount(f"{account.name}: webhook_public_key is not readable; copy the whole of it") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise BadAccount(f"{account.name}: webhook_public_key is not an elliptic curve key")
    return key


def _receipts(raw: bytes) -> list[Receipt]:
    event = read(raw, _EVENT)
    if event is None:
        return []
    try:
        at = datetime.fromtimestamp(event.timestamp, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return []
    kinds = _kinds(event)
    detail = _detail(event)
    return [
        # The delivery's state and the person's wish are two pieces of news, though SendGrid sends them as one.
        Receipt(
            event.bongsu_delivery_id,
            kind,
            at,
            detail,
            event.sg_event_id if kind is kinds[0] else f"{event.sg_event_id}:{kind}",
        )
        for kind in kinds
    ]


def _detail(event: Event) -> str:
    match event.event:
        case "open" if event.sg_machine_open:
            return f"{MACHINE} Apple's mail privacy protection, says SendGrid"
        case "click":
            return place_of(event.url or "")
        case _:
            return without_addresses(event.reason or event.response)


def _kinds(event: Event) -> Sequence[ReceiptKind]:
    match event.event:
        case "bounce":
            # "blocked": refused this time, by a full mailbox or a filter; the address may well be good.
            return (ReceiptKind.BLOCKED if event.type == "blocked" else ReceiptKind.BOUNCED,)
        case "dropped":
            return DROPS.get(event.reason.strip().lower(), (ReceiptKind.FAILED,))
        case name:
            return (EVENTS[name],) if name in EVENTS else ()
