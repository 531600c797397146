"""SendGrid's mail send and event webhook. twilio.com/docs/sendgrid/api-reference/mail-send."""

import base64
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox.exchange import Answer, Call, Receipt, Sight, Taken
from sandbox.keys import MAIL_DOMAIN, Keys
from sandbox.providers.sendgrid_mail import Mail, Personalization, Unreadable, read

_JSON: Final = (("content-type", "application/json"),)
_METHODS: Final = {"/v3/mail/send": "POST", "/v3/scopes": "GET"}
_EMAIL: Final = re.compile(r"[^@\s\x00-\x20<>\"]{1,64}@[^@\s\x00-\x20<>\"]+\.[^@\s\x00-\x20<>\".]+")
_DELIVERY: Final = "bongsu_delivery_id"
#: "The total size of your email, including attachments, must be less than 30 MB."
_LIMIT: Final = 30 * 1024 * 1024
#: "You can schedule emails up to 72 hours in advance."
_FARTHEST: Final = 72 * 3600
#: "Unique arguments … may not exceed 10,000 bytes."
_ARGS_LIMIT: Final = 10_000
_FORBIDDEN_HEADERS: Final = frozenset(
    {
        "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
        "subject", "reply-to", "cc", "bcc",
    }
)  # fmt: skip
_SENTENCES: Final = {
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "access forbidden",
    404: "not found",
    405: "method not allowed",
    413: "payload too large",
    429: "too many requests",
    500: "internal server error",
    503: "service unavailable",
}
_UNVERIFIED: Final = (
    "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. "
    "Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity "
    "requirements"
)
#: What becomes of mail to addresses of these domains, after it was accepted: sandbox/README.md.
_FATES: Final[dict[str, list[dict[str, str]]]] = {
    "bounce.example": [
        {
            "event": "bounce",
            "type": "bounce",
            "status": "5.1.1",
            "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
            "bounce_classification": "Invalid Address",
        }
    ],
    "blocked.example": [
        {
            "event": "bounce",
            "type": "blocked",
            "status": "4.7.1",
            "reason": "421 4.7.1 Try again later.",
            "bounce_classification": "Reputation",
        }
    ],
    "dropped.example": [{"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"}],
    "deferred.example": [
        {"event": "deferred", "response": "452 4.2.2 Mailbox full", "attempt": "1"},
        {"event": "delivered", "response": "250 OK"},
    ],
    "spam.example": [{"event": "delivered", "response": "250 OK"}, {"event": "spamreport"}],
    "unsubscribe.example": [{"event": "delivered", "response": "250 OK"}, {"event": "unsubscribe"}],
}
_USUAL_FATE: Final = [{"event": "delivered", "response": "250 OK"}]


class SendGrid:
    """`POST /v3/mail/send`, `GET /v3/scopes`, and batches of signed events."""

    name = "sendgrid"

    def __init__(self, keys: Keys) -> None:
        self._authorization = f"Bearer {keys.sendgrid_api_key}"
        private = load_pem_private_key(keys.sendgrid_webhook_private.encode(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        self._private = private

    def answer(self, call: Call) -> Answer:
        """What SendGrid would answer; the deliveries are those named in each personalization's custom_args."""
        if call.path not in _METHODS:
            return _refusal(404, _SENTENCES[404])
        if call.method != _METHODS[call.path]:
            return _refusal(405, _SENTENCES[405])
        if not hmac.compare_digest((call.headers.get("authorization") or "").encode(), self._authorization.encode()):
            return _refusal(401, _SENTENCES[401])
        if call.path == "/v3/scopes":
            return Answer(200, _JSON, msgspec.json.encode({"scopes": ["mail.send", "mail.batch.create"]}))
        if len(call.body) > _LIMIT:
            return _refusal(413, _SENTENCES[413])
        if not (call.headers.get("content-type") or "").startswith("application/json"):
            return _refusal(415, "Content-Type should be application/json.")
        try:
            mail = read(call.body)
        except Unreadable as error:
            return _refusal(400, str(error), error.field)
        messages = tuple(
            Taken(envelope.custom_args.get(_DELIVERY, "").lower(), envelope.to[0].email, part)
            for part, envelope in enumerate(mail.personalizations)
        )
        refusal = _bad_mail(mail, messages, call.at)
        if refusal:
            return refusal
        if mail.mail_settings and mail.mail_settings.sandbox_mode and mail.mail_settings.sandbox_mode.enable:
            return Answer(200)
        ref = secrets.token_urlsafe(16)
        return Answer(202, (("x-message-id", ref),), b"", messages, "", ref)

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as SendGrid words it. It tells when to come back in X-RateLimit-Reset."""
        answer = _refusal(status, reason or _SENTENCES.get(status, "internal server error"))
        if retry_after is None:
            return answer
        limits = (("x-ratelimit-limit", "600"), ("x-ratelimit-remaining", "0"), ("retry-after", str(retry_after)))
        return msgspec.structs.replace(answer, headers=(*answer.headers, *limits))

    def sight(self, body: bytes, part: int) -> Sight:
        """The mail as its reader opens it."""
        mail = read(body)
        envelope = mail.personalizations[part]
        contents = {content.type: content.value for content in mail.content}
        return Sight(
            kind="email",
            sender=f"{mail.from_.name} <{mail.from_.email}>" if mail.from_.name else mail.from_.email,
            title=_filled(envelope.subject or mail.subject or "", envelope),
            body=_filled(contents.get("text/plain", ""), envelope),
            html=_filled(contents.get("text/html", ""), envelope),
        )

    # --- receipts ----------------------------------------------------------------------------------
    def receipts(self, call: Call, answer: Answer, events_url: str) -> Iterator[Receipt]:
        """processed, then what becomes of mail to that domain; nothing where no events address is set."""
        if not events_url:
            return
        mail = read(call.body)
        for part, envelope in enumerate(mail.personalizations):
            for number, person in enumerate(envelope.to):
                common: dict[str, Any] = {
                    **mail.custom_args,
                    **envelope.custom_args,
                    "email": person.email,
                    "smtp-id": f"<{answer.ref}@geopod-ismtpd-sandbox>",
                    "sg_message_id": f"{answer.ref}.recvd-sandbox-{part}-{number}.0",
                }
                if mail.categories:
                    common["category"] = mail.categories
                domain = person.email.rpartition("@")[2].lower()
                first = [] if domain == "dropped.example" else [{"event": "processed"}]
                for step, event in enumerate([*first, *_FATES.get(domain, _USUAL_FATE)]):
                    yield Receipt(events_url, step, common | event)

    def post(self, url: str, news: list[Mapping[str, Any]], at: float) -> list[tuple[dict[str, str], bytes]]:
        """One batch, signed over timestamp and body: "Getting started with the event webhook security features"."""
        events = [{**event, "timestamp": int(at), "sg_event_id": secrets.token_urlsafe(16)} for event in news]
        body, timestamp = msgspec.json.encode(events), str(int(at))
        signature = self._private.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "content-type": "application/json",
            "user-agent": "SendGrid Event API",
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": timestamp,
        }
        return [(headers, body)]


def _filled(text: str, envelope: Personalization) -> str:
    for tag, value in envelope.substitutions.items():
        text = text.replace(tag, value)
    return text


def _bad_mail(mail: Mail, messages: tuple[Taken, ...], at: float) -> Answer | None:
    """What is wrong although every field is of the right kind."""
    trouble = _bad_content(mail) or _bad_times(mail, at)
    if trouble:
        return _refusal(400, *trouble, messages=messages)
    for number, envelope in enumerate(mail.personalizations):
        trouble = _bad_envelope(mail, envelope, f"personalizations.{number}")
        if trouble:
            return _refusal(400, *trouble, messages=messages)
    if not _EMAIL.fullmatch(mail.from_.email):
        return _refusal(400, "The from email does not contain a valid address.", "from.email", messages=messages)
    if mail.from_.email.rpartition("@")[2].lower() != MAIL_DOMAIN:
        return _refusal(403, _UNVERIFIED, "from", messages=messages)
    return None


def _bad_content(mail: Mail) -> tuple[str, str] | None:
    if mail.template_id:
        return None
    if not mail.content:
        return "Unless a valid template_id is provided, the content parameter is required.", "content"
    types = [content.type for content in mail.content]
    ranks = [{"text/plain": 0, "text/html": 1}.get(kind, 2) for kind in types]
    if ranks != sorted(ranks):
        return "If present, text/plain and text/html may only be provided once and in that order.", "content"
    if types.count("text/plain") > 1 or types.count("text/html") > 1:
        return "If present, text/plain and text/html may only be provided once.", "content"
    return None


def _bad_times(mail: Mail, at: float) -> tuple[str, str] | None:
    for moment in (mail.send_at, *(envelope.send_at for envelope in mail.personalizations)):
        if moment is not None and moment > at + _FARTHEST:
            return "The send_at parameter must be a valid UNIX timestamp within 72 hours.", "send_at"
    return None


def _bad_envelope(mail: Mail, envelope: Personalization, place: str) -> tuple[str, str] | None:
    for kind, people in (("to", envelope.to), ("cc", envelope.cc), ("bcc", envelope.bcc)):
        for number, person in enumerate(people):
            if not _EMAIL.fullmatch(person.email):
                return "Does not contain a valid address.", f"{place}.{kind}.{number}.email"
    emails = [person.email.lower() for person in (*envelope.to, *envelope.cc, *envelope.bcc)]
    if len(emails) != len(set(emails)):
        return "Each email address in the personalization block should be unique between to, cc, and bcc.", place
    if not (envelope.subject or mail.subject or mail.template_id):
        return "The subject is required. You can get around this requirement if you use a template.", "subject"
    banned = next((name for name in (*mail.headers, *envelope.headers) if name.lower() in _FORBIDDEN_HEADERS), None)
    if banned:
        return f"The header {banned} is reserved and cannot be set.", f"{place}.headers"
    if len(msgspec.json.encode(mail.custom_args | envelope.custom_args)) > _ARGS_LIMIT:
        return "Custom args may not exceed 10,000 bytes.", f"{place}.custom_args"
    return None


def _refusal(status: int, message: str, field: str | None = None, *, messages: tuple[Taken, ...] = ()) -> Answer:
    body = {"errors": [{"message": message, "field": field}]}
    reason = f"{status} {field}" if field else f"{status} {_SENTENCES.get(status, 'bad request')}"
    return Answer(status, _JSON, msgspec.json.encode(body), messages, reason)
