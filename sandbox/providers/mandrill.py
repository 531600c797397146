"""Mailchimp Transactional's messages/send and webhooks. mailchimp.com/developer/transactional."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from sandbox.exchange import Answer, Call, Receipt, Sight, Taken
from sandbox.keys import MAIL_DOMAIN, Keys
from sandbox.providers.mandrill_message import Recipient, Send, Unreadable, key_of, read, trouble

_JSON: Final = (("content-type", "application/json; charset=utf-8"),)
_PATHS: Final = frozenset(f"/api/1.{minor}/messages/send{suffix}" for minor in range(5) for suffix in ("", ".json"))
_PINGS: Final = frozenset(f"/api/1.{minor}/users/ping2{suffix}" for minor in range(5) for suffix in ("", ".json"))
_EMAIL: Final = re.compile(r"[^@\s\x00-\x20<>\",]{1,64}@[^@\s\x00-\x20<>\",]+\.[^@\s\x00-\x20<>\".,]+")
_DELIVERY: Final = "bongsu_delivery_id"
#: "The total size of your email, including attachments, may not exceed 25 MB."
_LIMIT: Final = 25 * 1024 * 1024
#: "Messages with more than 10 recipients are always sent asynchronously."
_AT_ONCE: Final = 10
#: Name, code and HTTP status of the errors, as the published document pairs them, and their words.
_ERRORS: Final = {
    "Invalid_Key": (401, 401, "Invalid API key"),
    "PaymentRequired": (10, 402, "Email scheduling is only available for accounts with a positive balance."),
    "Unknown_Subaccount": (12, 404, "No subaccount exists with the id {}"),
    "ValidationError": (-2, 422, "{}"),
    "RequestLimitExceeded": (429, 429, "Too Many Requests attempted recently"),
    "GeneralError": (-1, 500, "An unknown error occurred processing your request. Please try again later."),
    "ServiceUnavailable": (-2, 503, "Service Temporarily Unavailable"),
}
_NAME_OF: Final = {status: name for name, (_, status, _) in _ERRORS.items()}
#: An address of one of these domains is answered so at once: sandbox/README.md.
_VERDICT: Final = re.compile(
    r"(?P<status>rejected|queued)-(?P<reason>[a-z-]+)\.example|(?P<alone>invalid|scheduled)\.example"
)
#: What becomes of mail to addresses of these domains, after it was accepted: sandbox/README.md.
_FATES: Final[dict[str, list[tuple[str, dict[str, Any]]]]] = {
    "bounce.example": [
        (
            "hard_bounce",
            {
                "state": "bounced",
                "bounce_description": "bad_mailbox",
                "bgtools_code": 10,
                "diag": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
            },
        )
    ],
    "blocked.example": [
        (
            "soft_bounce",
            {
                "state": "soft-bounced",
                "bounce_description": "mailbox_full",
                "bgtools_code": 22,
                "diag": "smtp;552 5.2.2 Over Quota",
            },
        )
    ],
    "deferred.example": [
        ("deferral", {"state": "deferred", "diag": "451 4.3.5 Temporarily unavailable, try again later."}),
        ("delivered", {"diag": "250 OK"}),
    ],
    "opened.example": [("delivered", {"diag": "250 OK"}), ("open", {}), ("click", {})],
    "spam.example": [("delivered", {"diag": "250 OK"}), ("spam", {"state": "spam"})],
    "unsubscribe.example": [("delivered", {"diag": "250 OK"}), ("unsub", {"state": "unsub"})],
}
_USUAL_FATE: Final = [("delivered", {"diag": "250 OK"})]


class _Result(msgspec.Struct):
    email: str
    status: str
    reject_reason: str | None
    queued_reason: str | None
    id: str = msgspec.field(name="_id")

    @property
    def refused(self) -> str:
        """Why this one is not sent; "" where it is."""
        return f"{self.status} {self.reject_reason or ''}".strip() if self.status in {"rejected", "invalid"} else ""


_results: Final = msgspec.json.Decoder(list[_Result])


class Mandrill:
    """`POST /api/1.4/messages/send.json`, and batches of signed events."""

    name = "mandrill"

    def __init__(self, keys: Keys) -> None:
        self._api_key = keys.mandrill_api_key.encode()
        self._webhook_key = keys.mandrill_webhook_key.encode()

    def answer(self, call: Call) -> Answer:
        """What Mandrill would answer; the deliveries are those named in the metadata."""
        if call.path in _PINGS and call.method == "POST":
            return self._ping(call)
        if call.path not in _PATHS or call.method != "POST":
            return Answer(404, (("content-type", "text/html"),), b"<h1>404 Not Found</h1>", (), "404 not found")
        if len(call.body) > _LIMIT:
            return Answer(413, (("content-type", "text/html"),), b"<h1>413</h1>", (), "413 payload too large")
        try:
            if not hmac.compare_digest(key_of(call.body).encode(), self._api_key):
                return _refusal("Invalid_Key")
            sent = read(call.body)
        except Unreadable as error:
            return _refusal("ValidationError", str(error))
        people = sent.message.to
        messages = tuple(
            Taken(str(sent.message.metadata_of(person.email).get(_DELIVERY, "")).lower(), person.email, part)
            for part, person in enumerate(people)
        )
        refusal = _bad_message(sent, messages)
        if refusal:
            return refusal
        results = [_result(sent, person) for person in people]
        body, reasons = msgspec.json.encode(results), [result.refused for result in results]
        if all(reasons):
            return Answer(200, _JSON, body, messages, f"200 {reasons[0]}")
        taken = tuple(message for message, reason in zip(messages, reasons, strict=True) if not reason)
        return Answer(200, _JSON, body, taken, "", results[0].id)

    def _ping(self, call: Call) -> Answer:
        try:
            is_ours = hmac.compare_digest(key_of(call.body).encode(), self._api_key)
        except Unreadable as error:
            return _refusal("ValidationError", str(error))
        return Answer(200, _JSON, msgspec.json.encode({"PING": "PONG!"})) if is_ours else _refusal("Invalid_Key")

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as Mandrill words it; `reason` may be one of its names."""
        name = reason if reason in _ERRORS else _NAME_OF.get(status, "GeneralError")
        answer = _refusal(name, "an operator's wish")
        answer = msgspec.structs.replace(answer, status=status, refused=f"{status} {name}")
        if retry_after is None:
            return answer
        return msgspec.structs.replace(answer, headers=(*answer.headers, ("retry-after", str(retry_after))))

    def sight(self, body: bytes, part: int) -> Sight:
        """The mail as its reader opens it."""
        mail = read(body).message
        sender = mail.from_email or ""
        return Sight(
            kind="email",
            sender=f"{mail.from_name} <{sender}>" if mail.from_name else sender,
            title=mail.subject or "",
            body=mail.text or "",
            html=mail.html or "",
        )

    # --- receipts ----------------------------------------------------------------------------------
    def receipts(self, call: Call, answer: Answer, events_url: str) -> Iterator[Receipt]:
        """send, then what becomes of mail to that domain; nothing where no webhook is set up."""
        if not events_url:
            return
        sent = read(call.body)
        for result in _results.decode(answer.body):
            message = {
                "subject": sent.message.subject,
                "email": result.email,
                "sender": sent.message.from_email,
                "tags": sent.message.tags,
                "opens": [],
                "clicks": [],
                # as PHP writes a map that holds nothing
                "metadata": sent.message.metadata_of(result.email) or [],
                "_id": result.id,
                "_version": secrets.token_urlsafe(16),
            }
            for step, (event, more) in enumerate(_fate(result)):
                yield Receipt(
                    events_url, step, {"event": event, "_id": result.id, "msg": message | {"state": "sent"} | more}
                )

    def post(self, url: str, news: list[Mapping[str, Any]], at: float) -> list[tuple[dict[str, str], bytes]]:
        """One form with a batch, signed over URL, names and values: "Authenticating webhook requests"."""
        events = [{**event, "ts": int(at), "msg": {"ts": int(at), **event["msg"]}} for event in news]
        form = {"mandrill_events": msgspec.json.encode(events).decode()}
        signed = url + "".join(name + form[name] for name in sorted(form))
        digest = hmac.new(self._webhook_key, signed.encode(), hashlib.sha1).digest()
        headers = {
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "user-agent": "Mandrill-Webhook/1.0",
            "x-mandrill-signature": base64.b64encode(digest).decode(),
        }
        return [(headers, urlencode(form).encode())]


def _result(sent: Send, person: Recipient) -> _Result:
    """What is said at once of one recipient. In the background nothing is known yet."""
    later = len(sent.message.to) > _AT_ONCE
    if later or sent.is_async:
        status, reason = "queued", "multiple-recipients" if later else ""
    else:
        status, reason = _verdict(sent, person.email)
    return _Result(
        email=person.email,
        status=status,
        reject_reason=reason if status == "rejected" else None,
        queued_reason=(reason or None) if status == "queued" else None,
        id=secrets.token_hex(16),
    )


def _verdict(sent: Send, email: str) -> tuple[str, str]:
    if (sent.message.from_email or "").rpartition("@")[2].lower() != MAIL_DOMAIN:
        return "rejected", "unsigned"
    if not _EMAIL.fullmatch(email):
        return "rejected", "invalid"
    ordered = _VERDICT.fullmatch(_domain(email))
    if ordered:
        return ordered["status"] or ordered["alone"], ordered["reason"] or ""
    return ("scheduled", "") if sent.send_at else ("sent", "")


def _fate(result: _Result) -> list[tuple[str, dict[str, Any]]]:
    ordered = _VERDICT.fullmatch(_domain(result.email))
    if ordered and ordered["status"] == "rejected" and not result.refused:
        # taken in the background, and looked at now
        return [("reject", {"state": "rejected", "reject": {"reason": ordered["reason"]}})]
    if result.refused or ordered:
        return []
    return [("send", {}), *_FATES.get(_domain(result.email), _USUAL_FATE)]


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()


def _bad_message(sent: Send, messages: tuple[Taken, ...]) -> Answer | None:
    """What is wrong although every field is of the right kind."""
    mail = sent.message
    for place, email in (
        (".message.from_email", mail.from_email or ""),
        *((f".message.to[{number}].email", person.email) for number, person in enumerate(mail.to)),
    ):
        if email.count("@") != 1:
            error = trouble(place, "An email address must contain a single @")
            return _refusal("ValidationError", str(error), messages=messages)
    if not (mail.text or mail.html):
        error = trouble(".message", "Please enter a text or an html part")
        return _refusal("ValidationError", str(error), messages=messages)
    if mail.subaccount:
        return _refusal("Unknown_Subaccount", mail.subaccount, messages=messages)
    return None


def _refusal(name: str, about: str = "", *, messages: tuple[Taken, ...] = ()) -> Answer:
    code, status, words = _ERRORS[name]
    body = {"status": "error", "code": code, "name": name, "message": words.format(about)}
    return Answer(status, _JSON, msgspec.json.encode(body), messages, f"{status} {name}")
