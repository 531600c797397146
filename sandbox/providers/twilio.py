"""Twilio's Messages resource. twilio.com/docs/messaging/api/message-resource."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from sandbox.exchange import Answer, Call, Receipt, Said, Sight, Taken
from sandbox.gsm import gsm7_parts, is_gsm7, ucs2_parts
from sandbox.keys import TWILIO_NUMBER, Keys

_JSON: Final = (("content-type", "application/json"), ("twilio-concurrent-requests", "1"))
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_SENDER_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}")
_BODY_LIMIT: Final = 1600
#: Form fields of the published API description, "CreateMessage".
_FIELDS: Final = frozenset(
    {
        "To", "StatusCallback", "ApplicationSid", "MaxPrice", "ProvideFeedback", "Attempt", "ValidityPeriod",
        "ForceDelivery", "ContentRetention", "AddressRetention", "SmartEncoded", "PersistentAction", "TrafficType",
        "ShortenUrls", "ScheduleType", "SendAt", "SendAsMms", "ContentVariables", "RiskCheck", "From", "FallbackFrom",
        "MessagingServiceSid", "Body", "MediaUrl", "ContentSid",
    }
)  # fmt: skip

_SENTENCES: Final = {
    20001: "Unknown parameter: {}",
    20003: "Authenticate",
    20004: "Method not allowed",
    20404: "The requested resource {} was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    20503: "Service Unavailable",
    21211: "The 'To' number {} is not a valid phone number.",
    21212: "The 'From' number {} is not a valid phone number, shortcode, or alphanumeric sender ID.",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {}.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: (
        "The 'From' phone number {} is not a valid, SMS-capable inbound phone number or short code for your account."
    ),
    21609: "The StatusCallback URL {} is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number {} has exceeded the maximum number of queued messages",
    21612: "The 'To' phone number: {}, is not currently reachable using the 'From' phone number via SMS.",
    21614: "'To' number is not a valid mobile number: {}",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21701: "The Messaging Service {} does not exist",
    30004: "Message blocked",
    30036: "Validity Period Expired",
}
_CODE_OF_STATUS: Final = {401: 20003, 404: 20404, 405: 20004, 429: 20429, 500: 20500, 503: 20503}
#: Numbers with a fixed answer, Twilio's own for tests and one more: sandbox/README.md.
_SPECIAL_TO: Final = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_SPECIAL_FROM: Final = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
#: What Advanced Opt-Out knows unless somebody changes it: twilio.com/docs/messaging/tutorials/advanced-opt-out.
_KEYWORDS: Final = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"),
    **dict.fromkeys(("START", "UNSTOP", "YES"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}
#: Numbers that are accepted and fail later, with this error.
_FAILS_LATER: Final = {f"+1500555300{last}": 30000 + last for last in range(3, 9)}


class Twilio:
    """`POST /2010-04-01/Accounts/{sid}/Messages.json`, and status callbacks signed with the account's token."""

    name = "twilio"

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        pair = f"{keys.twilio_sid}:{keys.twilio_token}".encode()
        self._authorization = "Basic " + base64.b64encode(pair).decode()
        self._account = f"/2010-04-01/Accounts/{keys.twilio_sid}.json"
        self._path = f"/2010-04-01/Accounts/{keys.twilio_sid}/Messages.json"
        self._senders = {TWILIO_NUMBER, *_SPECIAL_FROM}

    def answer(self, call: Call) -> Answer:
        """What Twilio would answer; the delivery is the last segment of StatusCallback's path."""
        if not hmac.compare_digest((call.headers.get("authorization") or "").encode(), self._authorization.encode()):
            return _refusal(401, 20003)
        if call.path == self._account and call.method == "GET":
            return Answer(200, _JSON, msgspec.json.encode(_account(self._keys)))
        if call.path != self._path:
            return _refusal(404, 20404, call.path)
        if call.method != "POST":
            return _refusal(405, 20004)
        fields = parse_qs(call.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = {name: values[-1] for name, values in fields.items()}
        callback = form.get("StatusCallback", "")
        messages = (Taken(_last_segment(callback), form.get("To", "")),)
        trouble = self._trouble(form)
        if trouble:
            return _refusal(400, *trouble, messages=messages)
        sid = "SM" + secrets.token_hex(16)
        return Answer(201, _JSON, msgspec.json.encode(self._resource(sid, form, call.at)), messages, "", sid)

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as Twilio words it; `reason` may be one of its error codes."""
        code = int(reason) if reason.isdecimal() else _CODE_OF_STATUS.get(status, 20500)
        answer = _refusal(status, code)
        if retry_after is None:
            return answer
        return msgspec.structs.replace(answer, headers=(*answer.headers, ("retry-after", str(retry_after))))

    def sight(self, body: bytes, part: int) -> Sight:
        """The text message as a phone shows it."""
        form = parse_qs(body.decode("utf-8", "replace"))
        sender = (form.get("From") or form.get("MessagingServiceSid") or [""])[0]
        return Sight(kind="sms", sender=sender, title="", body=form.get("Body", [""])[0])

    # --- receipts ----------------------------------------------------------------------------------
    def receipts(self, call: Call, answer: Answer, events_url: str) -> Iterator[Receipt]:
        """queued, sent, delivered; or queued, sent, undelivered for a number that fails later."""
        form = parse_qs(call.body.decode("utf-8", "replace"))
        url = form.get("StatusCallback", [""])[0]
        if not url:
            return
        to = form["To"][0]
        error = _FAILS_LATER.get(to)
        common = {
            "MessageSid": answer.ref,
            "SmsSid": answer.ref,
            "AccountSid": self._keys.twilio_sid,
            "ApiVersion": "2010-04-01",
            "To": to,
            "From": form.get("From", [TWILIO_NUMBER])[0],
        }
        if "MessagingServiceSid" in form:
            common["MessagingServiceSid"] = form["MessagingServiceSid"][0]
        for step, status in enumerate(("queued", "sent", "undelivered" if error else "delivered")):
            fields = common | {"MessageStatus": status, "SmsStatus": status}
            if error and status == "undelivered":
                fields["ErrorCode"] = str(error)
            yield Receipt(url, step, fields)

    def post(self, url: str, news: list[Mapping[str, Any]], at: float) -> list[tuple[dict[str, str], bytes]]:
        """One form a status, signed over the exact URL and its sorted fields: "Webhooks security"."""
        requests = []
        for fields in news:
            signed = url + "".join(name + str(fields[name]) for name in sorted(fields))
            digest = hmac.new(self._keys.twilio_token.encode(), signed.encode(), hashlib.sha1).digest()
            headers = {
                "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
                "x-twilio-signature": base64.b64encode(digest).decode(),
                "user-agent": "TwilioProxy/1.1",
                "i-twilio-idempotency-token": secrets.token_hex(16),
            }
            requests.append((headers, urlencode(fields).encode()))
        return requests

    def incoming(self, said: Said) -> dict[str, str]:
        """A message to our number, as "Twilio's Request to Your Incoming Message Webhook URL" describes it."""
        sid = "SM" + secrets.token_hex(16)
        fields = {
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsMessageSid": sid,
            "SmsStatus": "received",
            "AccountSid": self._keys.twilio_sid,
            "ApiVersion": "2010-04-01",
            "From": said.sender,
            "To": TWILIO_NUMBER,
            "Body": said.text,
            "NumMedia": "0",
            "NumSegments": str(segments(said.text)),
            "FromCountry": "",
            "ToCountry": "US",
        }
        if said.advanced_opt_out:
            fields["MessagingServiceSid"] = self._keys.twilio_service
            kind = _KEYWORDS.get(said.text.strip().upper())
            if kind:
                fields["OptOutType"] = kind
        return fields

    # --- judging -----------------------------------------------------------------------------------
    def _trouble(self, form: Mapping[str, str]) -> tuple[int, str] | None:
        """The code of the first thing wrong and what it is about, or None."""
        unknown = next((name for name in form if name not in _FIELDS), None)
        if unknown is not None:
            # The real one ignores what it does not know; here a misspelt name is better found than lost.
            return 20001, unknown
        return _bad_recipient(form.get("To", "")) or self._bad_sender(form) or _bad_rest(form)

    def _bad_sender(self, form: Mapping[str, str]) -> tuple[int, str] | None:
        sender, service = form.get("From", ""), form.get("MessagingServiceSid", "")
        if not sender and not service:
            return 21603, ""
        if service and service != self._keys.twilio_service:
            return 21701, service
        if not sender:
            return None
        if sender in _SPECIAL_FROM:
            return _SPECIAL_FROM[sender], sender
        if not _E164.fullmatch(sender):
            return None if _SENDER_NAME.fullmatch(sender) else (21212, sender)
        return None if sender in self._senders else (21606, sender)

    def _resource(self, sid: str, form: Mapping[str, str], at: float) -> dict[str, Any]:
        service = form.get("MessagingServiceSid")
        now = formatdate(at).replace("-0000", "+0000")
        uri = f"/2010-04-01/Accounts/{self._keys.twilio_sid}/Messages/{sid}"
        return {
            "account_sid": self._keys.twilio_sid,
            "api_version": "2010-04-01",
            "body": form.get("Body", ""),
            "date_created": now,
            "date_sent": None,
            "date_updated": now,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": service,
            "num_media": "1" if form.get("MediaUrl") else "0",
            "num_segments": "0" if service else str(segments(form.get("Body", ""))),
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "accepted" if service else "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": form["To"],
            "uri": f"{uri}.json",
        }


def segments(body: str) -> int:
    """How many text messages a body takes: 160 characters of GSM-7 or 70 of UCS-2, less when there are several."""
    return gsm7_parts(body) if is_gsm7(body) else ucs2_parts(body)


def _account(keys: Keys) -> dict[str, Any]:
    """The account, as "Fetch an Account" shows it."""
    uri, opened = f"/2010-04-01/Accounts/{keys.twilio_sid}", "Thu, 30 Jul 2015 20:00:00 +0000"
    return {
        "auth_token": keys.twilio_token,
        "date_created": opened,
        "date_updated": opened,
        "friendly_name": "Bongsu sandbox",
        "owner_account_sid": keys.twilio_sid,
        "sid": keys.twilio_sid,
        "status": "active",
        "subresource_uris": {"messages": f"{uri}/Messages.json"},
        "type": "Full",
        "uri": f"{uri}.json",
    }


def _bad_recipient(to: str) -> tuple[int, str] | None:
    if not to:
        return 21604, ""
    if to in _SPECIAL_TO:
        return _SPECIAL_TO[to], to
    return None if _E164.fullmatch(to) else (21211, to)


def _bad_rest(form: Mapping[str, str]) -> tuple[int, str] | None:
    body, callback = form.get("Body", ""), form.get("StatusCallback", "")
    if not body and not form.get("MediaUrl") and not form.get("ContentSid"):
        return 21602, ""
    if len(body) > _BODY_LIMIT:
        return 21617, ""
    if callback and not _is_web_address(callback):
        return 21609, callback
    validity = form.get("ValidityPeriod", "1")
    if not validity.isdecimal() or not 1 <= int(validity) <= 36_000:
        return 20001, "ValidityPeriod must be from 1 to 36000"
    return None


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _last_segment(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/").rpartition("/")[2].lower()
    except ValueError:
        return ""


def _refusal(status: int, code: int, about: str = "", *, messages: tuple[Taken, ...] = ()) -> Answer:
    body = {
        "code": code,
        "message": _SENTENCES.get(code, "Error {}").format(about or code),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = (*_JSON, ("www-authenticate", 'Basic realm="Twilio API"')) if status == 401 else _JSON
    return Answer(status, headers, msgspec.json.encode(body), messages, f"{status} {code}")
