"""Twilio's webhooks: a signed form for every change of a message's status, and for every text that comes in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from twilio.request_validator import RequestValidator

from accounts.replies import Reply, Wish, e164, wish_in
from notifications.providers.contract import Account, AddressDead, Callback, Forged, OptedOut, Receipt
from notifications.providers.twilio.send import verdict_of
from notifications.vocabulary import ReceiptKind


class TwilioReceipts:
    """Status callbacks (twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks) and incoming
    messages (twilio.com/docs/messaging/guides/webhook-request).
    """

    def verify(self, callback: Callback, account: Account) -> None:
        """The signature covers the exact public URL and every form field, in the order of their names."""
        auth_token = account.credentials.get("auth_token", "")
        signature = callback.headers.get("x-twilio-signature", "")
        try:
            genuine = RequestValidator(auth_token).validate(callback.url, _Fields(_form(callback)), signature)
        except ValueError as error:
            raise Forged("the body is not a form, or the URL is not one") from error
        if not (auth_token and genuine):
            raise Forged("the X-Twilio-Signature does not fit; check auth_token and the public URL")

    def parse(self, callback: Callback) -> Sequence[Receipt | Reply]:
        """One receipt, or none for a status that is on the way (queued, sending, sent); or the keyword in a message."""
        form = {name: values[0] for name, values in _form(callback).items()}
        if "MessageStatus" not in form and "From" in form:
            return _heard(form, callback.at)
        delivery_id = _delivery_id(callback.url)
        if delivery_id is None:
            return []
        status = form.get("MessageStatus", "")
        # A message takes each status once, and Twilio repeats a callback that it thinks was lost.
        ref = f"{form.get('MessageSid', '')[:64]}:{status[:16]}"
        return [
            Receipt(delivery_id, kind, callback.at, detail, f"{ref}:{kind}")
            for kind, detail in _news(status, form.get("ErrorCode", ""))
        ]


class _Fields(dict[str, list[str]]):
    """A form that may name a field twice, as the validator reads it."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _form(callback: Callback) -> dict[str, list[str]]:
    """The fields of the body. Raises `ValueError` when it is not a form."""
    return parse_qs(callback.body.decode(), keep_blank_values=True, max_num_fields=200)


def _heard(form: Mapping[str, str], at: datetime) -> Sequence[Reply]:
    """What an incoming message asks for, if it is a keyword.

    `OptOutType` is there where the Messaging Service has Advanced Opt-Out, which knows its own keywords: what Twilio
    acted on is what counts, whatever the text is. There is no time in it; that of the call has to do.
    """
    phone = e164(form["From"])
    found = wish_in(form.get("Body", ""), form["From"], form.get("To", ""))
    if kind := form.get("OptOutType", "").strip().lower():
        found = (Wish(kind), found[1] if found else kind) if kind in list(Wish) else None
    if phone is None or found is None or not (ref := form.get("MessageSid", "")[:64]):
        return []
    wish, keyword = found
    return [Reply(phone, wish, keyword, at, ref)]


def _delivery_id(url: str) -> UUID | None:
    """The last part of the path: the callback URL of a message was made so."""
    try:
        return UUID(urlsplit(url).path.rstrip("/").rpartition("/")[2])
    except ValueError:
        return None


def _news(status: str, code: str) -> Sequence[tuple[ReceiptKind, str]]:
    match status:
        case "delivered":
            return [(ReceiptKind.DELIVERED, "")]
        case "read":
            return [(ReceiptKind.OPENED, "")]
        case "undelivered" | "failed" | "canceled":
            return _failure(code)
        case _:
            return []


def _failure(code: str) -> Sequence[tuple[ReceiptKind, str]]:
    if not (code.isascii() and code.isdigit()):
        return [(ReceiptKind.FAILED, "Twilio gives no code")]
    outcome = verdict_of(int(code[:9]))
    match outcome:
        case AddressDead(detail=detail):
            return [(ReceiptKind.BOUNCED, detail)]
        case OptedOut(detail=detail):
            # The delivery's state and the person's wish are two pieces of news.
            return [(ReceiptKind.FAILED, detail), (ReceiptKind.OPTED_OUT, detail)]
        case _:
            return [(ReceiptKind.FAILED, outcome.detail)]
