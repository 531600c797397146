"""Vonage's webhooks: a signed set of parameters for each part of a message, and for each text that somebody sends us.

They come by GET, as a form or as JSON, as the account is set up.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import msgspec

from accounts.replies import Reply, e164, wish_in
from notifications.providers.contract import Account, Callback, Forged, Receipt, read
from notifications.vocabulary import ReceiptKind

#: How far the signed timestamp may be from now: a call that was overheard is worthless afterwards.
TOLERANCE: Final = timedelta(minutes=5)

#: Statuses that are the end, and a bad one; `err-code` says why. "undelivered" is the guide's word for "failed".
FAILURES: Final = frozenset({"failed", "expired", "rejected", "undelivered"})

_FAILED: Final = (ReceiptKind.FAILED,)
_BOUNCED: Final = (ReceiptKind.BOUNCED,)
#: The delivery's state and the person's wish are two pieces of news.
_STOPPED: Final = (ReceiptKind.FAILED, ReceiptKind.OPTED_OUT)

#: developer.vonage.com/messaging/sms/guides/delivery-receipts and Vonage's support pages, read 2026-11.
ERRORS: Final[Mapping[str, tuple[Sequence[ReceiptKind], str]]] = {
    "1": (_FAILED, "an error that Vonage cannot explain"),
    "2": (_FAILED, "the phone is off or out of reach"),
    "3": (_BOUNCED, "the number is no longer in use"),
    "4": (_BOUNCED, "the number is barred for good, on its owner's side"),
    "5": (_FAILED, "an error about a number that moved to another network"),
    "6": (_FAILED, "filtered as unwanted by the network"),
    "7": (_FAILED, "the phone was busy"),
    "8": (_FAILED, "an error of the network"),
    "9": (_STOPPED, "the person wants no messages from this sender"),
    "10": (_FAILED, "a parameter of the message is wrong"),
    "11": (_FAILED, "Vonage finds no route"),
    "12": (_FAILED, "the number cannot be reached by any route"),
    "13": (_FAILED, "not for a person of this age"),
    "14": (_FAILED, "the network blocks messages to this number"),
    "15": (_FAILED, "the person's prepaid card is empty"),
    "16": (_FAILED, "more than the gateway takes"),
    "50": (_FAILED, "filtered by the registered sender's company"),
    "51": (_FAILED, "filtered by the registered sender's name"),
    "52": (_FAILED, "filtered by the registered content"),
    "53": (_FAILED, "filtered for want of a registered consent"),
    "54": (_FAILED, "against a regulation of the country"),
    "95": (_FAILED, "an error of the network that Vonage does not know"),
    "99": (_FAILED, "an error of the route"),
}

_OBJECT: Final = msgspec.json.Decoder(dict[str, str])
_MASKED: Final = str.maketrans("&=", "__")


class VonageReceipts:
    """Signed webhooks of the SMS API (developer.vonage.com/getting-started/concepts/signing-messages)."""

    def verify(self, callback: Callback, account: Account) -> None:
        """HMAC-SHA-256 over every parameter but `sig`; an account without a signature secret takes none."""
        secret = account.credentials.get("signature_secret", "")
        try:
            fields = _fields(callback)
            given = fields.pop("sig", "").lower().encode()
            genuine = hmac.compare_digest(given, _signature(fields, secret).encode())
            signed_at = datetime.fromtimestamp(int(fields.get("timestamp", "")), tz=UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise Forged("the call has no readable parameters, or no timestamp") from error
        if not (secret and genuine):
            raise Forged("the sig does not fit; check signature_secret, and that its method is SHA-256 HMAC")
        if abs(callback.at - signed_at) > TOLERANCE:
            raise Forged("the call was signed more than five minutes ago")

    def parse(self, callback: Callback) -> Sequence[Receipt | Reply]:
        """What a delivery receipt says, none for one that is on the way; or the keyword in a message sent to us."""
        try:
            fields = _fields(callback)
            if "status" not in fields and "text" in fields:
                return _heard(fields)
            delivery_id = UUID(fields.get("client-ref", ""))
        except ValueError:
            return []
        status = fields.get("status", "")
        # Each part has an id of its own and takes each status once; Vonage repeats a call that it thinks was lost.
        ref = f"{fields.get('messageId', '')[:64]}:{status[:16]}"
        return [
            Receipt(delivery_id, kind, callback.at, detail, f"{ref}:{kind}")
            for kind, detail in _news(status, fields.get("err-code", ""))
        ]


def _heard(fields: Mapping[str, str]) -> Sequence[Reply]:
    """What an incoming message asks for, if it is a keyword: developer.vonage.com/messaging/sms/guides/inbound-sms.

    A part of a long message is no keyword. The time is that of the push, which is signed; that of the message itself
    is not told.
    """
    phone, ref = e164(fields.get("msisdn", "")), fields.get("messageId", "")[:64]
    found = wish_in(fields["text"], phone or "", e164(fields.get("to", "")) or "")
    if phone is None or found is None or not ref or fields.get("concat") == "true":
        return []
    wish, keyword = found
    return [Reply(phone, wish, keyword, datetime.fromtimestamp(int(fields["timestamp"]), tz=UTC), ref)]


def _fields(callback: Callback) -> dict[str, str]:
    """The parameters, wherever the account's webhook format puts them. Raises `ValueError` when none can be read."""
    if not callback.body:
        fields = dict(parse_qsl(urlsplit(callback.url).query, keep_blank_values=True, max_num_fields=100))
    elif callback.headers.get("content-type", "").lower().startswith("application/json"):
        found = read(callback.body, _OBJECT)
        if found is None:
            raise ValueError("not a JSON object of texts")
        fields = found
    else:
        fields = dict(parse_qsl(callback.body.decode(), keep_blank_values=True, max_num_fields=100))
    # Only values are masked when signed: two parameters could pass as one with a long name.
    if any("&" in name or "=" in name for name in fields):
        raise ValueError("a name that no parameter has")
    return fields


def _signature(fields: Mapping[str, str], secret: str) -> str:
    signed = "".join(f"&{name}={fields[name].translate(_MASKED)}" for name in sorted(fields))
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def _news(status: str, code: str) -> Sequence[tuple[ReceiptKind, str]]:
    match status:
        case "delivered":
            return [(ReceiptKind.DELIVERED, "")]
        case "buffered":
            return [(ReceiptKind.DEFERRED, "the network keeps it for later")]
        case failure if failure in FAILURES:
            kinds, sentence = ERRORS.get(code, (_FAILED, "no code that is known"))
            named = f" {code}" if code in ERRORS else ""
            return [(kind, f"{failure}{named}: {sentence}") for kind in kinds]
        case _:
            return []
