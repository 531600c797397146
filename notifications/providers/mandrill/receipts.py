"""Mandrill's webhooks: a signed form with a JSON array of what happened to messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.webhooks.mandrill import MandrillCombinedWebhookView

from notifications.providers.contract import Account, AddressDead, Callback, Forged, OptedOut, Receipt, read
from notifications.providers.mail import place_of, without_addresses
from notifications.providers.mandrill.send import rejection
from notifications.vocabulary import MACHINE, ReceiptKind

#: mailchimp.com/developer/transactional/docs/webhooks, read 2026-11. `reject` depends on why; `send`, and the news
#: of lists and of inbound email, change no delivery.
EVENTS: Final[Mapping[str, ReceiptKind]] = {
    "delivered": ReceiptKind.DELIVERED,
    "deferral": ReceiptKind.DEFERRED,
    "hard_bounce": ReceiptKind.BOUNCED,
    # A full mailbox or a filter, this once; the address may well be good.
    "soft_bounce": ReceiptKind.BLOCKED,
    "open": ReceiptKind.OPENED,
    "click": ReceiptKind.CLICKED,
    "spam": ReceiptKind.COMPLAINED,
    "unsub": ReceiptKind.OPTED_OUT,
}

_MAX_FIELDS: Final = 20
#: Apple's Mail Privacy Protection fetches pictures as this and no more, whether or not anybody looks. Mandrill says
#: who fetched, and draws no conclusion from it.
_APPLES_PROXY: Final = "Mozilla/5.0"


class Metadata(msgspec.Struct):
    """What we gave the message on its way."""

    bongsu_delivery_id: UUID


class Reject(msgspec.Struct):
    """Why Mandrill did not even try."""

    reason: str = ""


class Sent(msgspec.Struct):
    """The message that an event is about; `diag` is what the other mail server said."""

    metadata: Metadata
    diag: str | None = None
    bounce_description: str | None = None
    reject: Reject | None = None


class Event(msgspec.Struct):
    """One event. `id` is the message's; events have none of their own. Opens and clicks say by which program."""

    event: str
    ts: float
    msg: Sent
    url: str | None = None
    user_agent: str | None = None
    id: str = msgspec.field(default="", name="_id")


_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_EVENT: Final = msgspec.json.Decoder(Event)


@dataclass(frozen=True, slots=True)
class _Post:
    """A callback as anymail's view reads one."""

    META: Mapping[str, str]
    POST: "_Fields"


class _Fields(dict[str, str]):
    """The fields of a form, as Django would hand them over."""

    def dict(self) -> "_Fields":
        return self


class MandrillReceipts:
    """Webhooks for message events (mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks)."""

    def verify(self, callback: Callback, account: Account) -> None:
        """HMAC-SHA1 over the exact public URL and every form field; an account without a webhook key takes none."""
        key = account.credentials.get("webhook_key", "")
        signature = callback.headers.get("x-mandrill-signature", "")
        if not key:
            raise Forged("the account holds no webhook_key to check this call with")
        try:
            view = MandrillCombinedWebhookView(webhook_key=key, webhook_url=callback.url)
            view.validate_request(_Post({"HTTP_X_MANDRILL_SIGNATURE": signature}, _form(callback)))
        except (AnymailWebhookValidationFailure, ValueError):
            raise Forged("the X-Mandrill-Signature does not fit; check webhook_key and the public URL") from None

    def parse(self, callback: Callback) -> Sequence[Receipt]:
        """The receipts of every event that names a delivery of ours."""
        try:
            events = _form(callback).get("mandrill_events", "")
        except ValueError:
            return []
        return [receipt for raw in read(events.encode(), _ARRAY) or () for receipt in _receipts(bytes(raw))]


def _form(callback: Callback) -> _Fields:
    """The fields of the body. Raises `ValueError` when it is not a form."""
    text = callback.body.decode()
    return _Fields(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"))


def _receipts(raw: bytes) -> list[Receipt]:
    event = read(raw, _EVENT)
    if event is None:
        return []
    try:
        at = datetime.fromtimestamp(event.ts, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return []
    # A message may be opened twice, and Mandrill repeats a call that it thinks was lost.
    ref = f"{event.id[:64]}:{event.event[:16]}:{event.ts:.0f}"
    return [
        Receipt(event.msg.metadata.bongsu_delivery_id, kind, at, detail, f"{ref}:{kind}")
        for kind, detail in _news(event)
    ]


def _news(event: Event) -> Sequence[tuple[ReceiptKind, str]]:
    if event.event == "reject":
        return _rejected(event.msg.reject.reason if event.msg.reject else "")
    if event.event not in EVENTS:
        return []
    return [(EVENTS[event.event], _detail(event))]


def _detail(event: Event) -> str:
    match event.event:
        case "open" if event.user_agent == _APPLES_PROXY:
            return f"{MACHINE} Apple's mail privacy protection"
        case "click":
            return place_of(event.url or "")
        case _:
            return without_addresses(event.msg.diag or event.msg.bounce_description or "")


def _rejected(reason: str) -> Sequence[tuple[ReceiptKind, str]]:
    outcome = rejection(reason)
    detail = outcome.detail
    match outcome:
        case AddressDead():
            return [(ReceiptKind.BOUNCED, detail)]
        case OptedOut():
            # The delivery's state and the person's wish are two pieces of news.
            wish = ReceiptKind.COMPLAINED if reason == "spam" else ReceiptKind.OPTED_OUT
            return [(ReceiptKind.FAILED, detail), (wish, detail)]
        case _:
            return [(ReceiptKind.FAILED, detail)]
