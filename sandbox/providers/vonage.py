"""Vonage's SMS API, which answers HTTP 200 whatever it thinks of a message. developer.vonage.com/api/sms."""

import base64
import hashlib
import hmac
import re
import secrets
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from sandbox.exchange import Answer, Call, Receipt, Said, Sight, Taken
from sandbox.gsm import as_gsm7, gsm7_parts, is_gsm7, ucs2_parts
from sandbox.keys import VONAGE_NUMBER, Keys

_JSON: Final = (("content-type", "application/json"),)
_FORM: Final = "application/x-www-form-urlencoded"
#: Parameters of the published API description, "NewMessage", and the one that a signature needs.
_PARAMETERS: Final = frozenset(
    {
        "api_key", "api_secret", "sig", "timestamp", "from", "to", "text", "ttl", "status-report-req", "callback",
        "message-class", "type", "body", "udh", "protocol-id", "client-ref", "account-ref", "entity-id", "content-id",
    }
)  # fmt: skip
_TO: Final = re.compile(r"[0-9]{7,15}")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
_SENDER_NAME: Final = re.compile(r"[^\s]{1,11}")
#: The United States, Canada and their neighbours, where a sender must be a number that Vonage rents out.
_NORTH_AMERICA: Final = "1"
_TTL: Final = range(20_000, 604_800_001)
_TEXT_LIMIT, _CALLBACK_LIMIT, _REFERENCE_LIMIT = 3200, 100, 100
#: Seconds for which a signed request is good.
_SIGNED_FOR: Final = 300

_SENTENCES: Final = {
    1: "Throughput Rate Exceeded - please wait [ 250 ] and retry",
    2: "Missing {}",
    3: "Invalid {}",
    4: "Bad Credentials",
    5: "Internal Error",
    6: "Unroutable message - rejected",
    7: "Number barred",
    8: "Partner account barred",
    9: "Quota Exceeded - rejected",
    10: "Too Many Existing Binds",
    11: "Account Not Enabled For HTTP",
    12: "Message Too Long",
    14: "Invalid Signature",
    15: "Illegal Sender Address - rejected",
    22: "Invalid Network Code",
    23: "Invalid Callback Url",
    29: "Non White-listed Destination - rejected",
    32: "Signature And API Secret Disallowed",
    33: "Number De-activated",
}
_STATUS_OF_HTTP: Final = {400: 3, 401: 4, 403: 8, 429: 1}
#: Numbers with a fate, sandbox/README.md: 447700900 and 0 with a status, 1 with an err-code, 2 with the status of every
#: part but the first, 3 with a number for how it ends.
_FATE: Final = re.compile(r"447700900([0-3])([0-9]{2})")
_REFUSED, _FAILS_LATER, _IN_PART, _ENDS_AS = "0123"
_ENDS: Final = {
    "01": (("expired", "2"),),
    "02": (("rejected", "1"),),
    "03": (("unknown", "1"),),
    "04": (("buffered", "0"), ("delivered", "0")),
}


class Vonage:
    """`POST /sms/json`, and delivery receipts as JSON, signed with HMAC-SHA-256."""

    name = "vonage"

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        pair = f"{keys.vonage_api_key}:{keys.vonage_api_secret}".encode()
        self._authorization = "Basic " + base64.b64encode(pair).decode()

    def answer(self, call: Call) -> Answer:
        """What Vonage would answer; the delivery is the `client-ref`."""
        if call.path == "/account/get-balance" and call.method == "GET":
            return self._balance(call)
        if call.path != "/sms/json":
            return Answer(404, (("content-type", "text/html"),), b"<html>404 Not Found</html>", (), "404")
        if call.method != "POST" or not (call.headers.get("content-type") or "").startswith(_FORM):
            return _refusal(2, "api_key")
        fields = parse_qs(call.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = {name: values[-1] for name, values in fields.items()}
        messages = (Taken(form.get("client-ref", "").lower(), form.get("to", "")),)
        authorization = call.headers.get("authorization") or ""
        trouble = self._stranger(form, authorization, call.at) or _bad_form(form)
        if trouble:
            return _refusal(*trouble, messages=messages)
        return self._taken(form, messages)

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as Vonage words it; one of its own statuses, as `reason`, comes with HTTP 200 as always."""
        if reason.isdecimal():
            answer = _refusal(int(reason))
        else:
            answer = msgspec.structs.replace(_refusal(_STATUS_OF_HTTP.get(status, 5)), status=status)
        if retry_after is None:
            return answer
        return msgspec.structs.replace(answer, headers=(*answer.headers, ("retry-after", str(retry_after))))

    def sight(self, body: bytes, part: int) -> Sight:
        """The text message as a phone shows it: what the 7-bit alphabet lacks is a question mark, unless `unicode`."""
        form = parse_qs(body.decode("utf-8", "replace"))
        text = form.get("text", [""])[0]
        shown = text if form.get("type") == ["unicode"] else as_gsm7(text)
        return Sight(kind="sms", sender=form.get("from", [""])[0], title="", body=shown)

    # --- receipts ----------------------------------------------------------------------------------
    def receipts(self, call: Call, answer: Answer, events_url: str) -> Iterator[Receipt]:
        """For each part that was taken: accepted, then delivered; or another end, for a number with a fate."""
        form = {name: values[-1] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
        url = form.get("callback", "")
        if not url or form.get("status-report-req") in {"false", "0"}:
            return
        news = _news(form["to"])
        for sent in msgspec.json.decode(answer.body)["messages"]:
            if sent["status"] != "0":
                continue
            common = {
                "msisdn": form["to"],
                "to": form["from"],
                "network-code": "23410",
                "messageId": sent["message-id"],
                "price": "0.03330000",
                "scts": time.strftime("%y%m%d%H%M", time.gmtime(call.at)),
                "api-key": self._keys.vonage_api_key,
            }
            if "client-ref" in form:
                common["client-ref"] = form["client-ref"]
            for step, (status, code) in enumerate(news):
                yield Receipt(url, step, common | {"status": status, "err-code": code})

    def post(self, url: str, news: list[Mapping[str, Any]], at: float) -> list[tuple[dict[str, str], bytes]]:
        """One JSON object a receipt or message: the webhook format POST-JSON."""
        requests = []
        for fields in news:
            pushed_at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
            whole = {**fields, "message-timestamp": pushed_at, "timestamp": str(int(at)), "nonce": str(uuid.uuid4())}
            whole["sig"] = self._signature(whole).upper()
            requests.append(({"content-type": "application/json"}, msgspec.json.encode(whole)))
        return requests

    def _balance(self, call: Call) -> Answer:
        """The Account API, which knows HTTP's own words for a stranger, and takes the secret as a header only."""
        pair = f"{self._keys.vonage_api_key}:{self._keys.vonage_api_secret}".encode()
        expected = b"Basic " + base64.b64encode(pair)
        if hmac.compare_digest((call.headers.get("authorization") or "").encode(), expected):
            return Answer(200, _JSON, msgspec.json.encode({"value": 10.28, "autoReload": False}))
        labels = {"error-code": "401", "error-code-label": "authentication failed"}
        return Answer(401, _JSON, msgspec.json.encode(labels), refused="401")

    def incoming(self, said: Said) -> dict[str, str]:
        """A message to our number: developer.vonage.com/messaging/sms/guides/inbound-sms."""
        return {
            "api-key": self._keys.vonage_api_key,
            "msisdn": said.sender.removeprefix("+"),
            "to": VONAGE_NUMBER,
            "messageId": secrets.token_hex(8).upper(),
            "text": said.text,
            "type": "text" if is_gsm7(said.text) else "unicode",
            "keyword": said.text.split(maxsplit=1)[0].upper() if said.text.strip() else "",
        }

    # --- judging -----------------------------------------------------------------------------------
    def _stranger(self, form: Mapping[str, str], authorization: str, at: float) -> tuple[int, str] | None:
        """The status for somebody who is not the account, or None. Key and secret may stand in the header as well."""
        if authorization:
            return None if hmac.compare_digest(authorization.encode(), self._authorization.encode()) else (4, "")
        if not form.get("api_key"):
            return 2, "api_key"
        if "sig" in form:
            return self._bad_signature(form, at)
        if not form.get("api_secret"):
            return 2, "api_secret"
        given = f"{form['api_key']}:{form['api_secret']}".encode()
        known = f"{self._keys.vonage_api_key}:{self._keys.vonage_api_secret}".encode()
        return None if hmac.compare_digest(given, known) else (4, "")

    def _bad_signature(self, form: Mapping[str, str], at: float) -> tuple[int, str] | None:
        if "api_secret" in form:
            return 32, ""
        stamp = form.get("timestamp", "")
        fresh = stamp.isdecimal() and abs(int(stamp[:12]) - at) <= _SIGNED_FOR
        unsigned = {name: value for name, value in form.items() if name != "sig"}
        genuine = hmac.compare_digest(form["sig"].lower().encode(), self._signature(unsigned).encode())
        return None if fresh and genuine and form["api_key"] == self._keys.vonage_api_key else (14, "")

    def _signature(self, fields: Mapping[str, str]) -> str:
        """`&name=value` for each name in order, where `&` and `=` of a value are `_`: "Signing Messages"."""
        pairs = sorted((name, value.replace("&", "_").replace("=", "_")) for name, value in fields.items())
        signed = "".join(f"&{name}={value}" for name, value in pairs)
        return hmac.new(self._keys.vonage_signature_secret.encode(), signed.encode(), hashlib.sha256).hexdigest()

    def _taken(self, form: Mapping[str, str], messages: tuple[Taken, ...]) -> Answer:
        """An entry a part; with a number for it, all but the first one are refused."""
        ref = secrets.token_hex(7).upper()
        text = form["text"]
        count = ucs2_parts(text) if form.get("type") == "unicode" else gsm7_parts(text)
        group, last = _fate(form["to"])
        parts = [
            _refused_part(int(last)) if group == _IN_PART and number else _taken_part(f"{ref}{number:02X}", form)
            for number in range(count)
        ]
        return Answer(200, _JSON, _encoded(parts), messages, "", ref)


def _bad_form(form: Mapping[str, str]) -> tuple[int, str] | None:
    """The status of the first thing wrong and the parameter that it is about, or None."""
    unknown = next((name for name in form if name not in _PARAMETERS), None)
    if unknown is not None:
        # The real one ignores what it does not know; here a misspelt name is better found than lost.
        return 3, unknown
    missing = next((name for name in ("to", "from", "text") if not form.get(name)), None)
    if missing is not None:
        return 2, missing
    if not _TO.fullmatch(form["to"]):
        return 3, "to"
    return _bad_value(form) or _bad_sender(form["from"], form["to"]) or _refused_number(form["to"])


def _bad_value(form: Mapping[str, str]) -> tuple[int, str] | None:
    ttl = form.get("ttl", str(_TTL[0]))
    if not ttl.isdecimal() or int(ttl[:12]) not in _TTL:
        return 3, "ttl"
    if form.get("type", "text") not in {"text", "unicode"}:
        return 3, "type"
    if len(form.get("client-ref", "")) > _REFERENCE_LIMIT:
        return 3, "client-ref"
    if len(form["text"]) > _TEXT_LIMIT:
        return 12, ""
    callback = form.get("callback", "")
    if callback and (len(callback) > _CALLBACK_LIMIT or not _is_web_address(callback)):
        return 23, ""
    return None


def _bad_sender(sender: str, to: str) -> tuple[int, str] | None:
    if _NUMBER.fullmatch(sender):
        return None if sender == VONAGE_NUMBER else (15, "")
    if not _SENDER_NAME.fullmatch(sender):
        return 3, "from"
    return (15, "") if to.startswith(_NORTH_AMERICA) else None


def _refused_number(to: str) -> tuple[int, str] | None:
    group, last = _fate(to)
    return (int(last), "") if group == _REFUSED and int(last) in _SENTENCES else None


def _fate(to: str) -> tuple[str, str]:
    """What kind of fate a number has, and which; two empty texts for one without."""
    found = _FATE.fullmatch(to)
    return (found[1], found[2]) if found else ("", "")


def _news(to: str) -> tuple[tuple[str, str], ...]:
    """The receipts for each part of a message to this number, as status and err-code."""
    group, last = _fate(to)
    accepted = ("accepted", "0")
    if group == _FAILS_LATER:
        return accepted, ("failed", str(int(last)))
    ends = _ENDS.get(last) if group == _ENDS_AS else None
    return accepted, *(ends or (("delivered", "0"),))


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _taken_part(message_id: str, form: Mapping[str, str]) -> dict[str, str]:
    part = {
        "to": form["to"],
        "message-id": message_id,
        "status": "0",
        "remaining-balance": "3.14159265",
        "message-price": "0.03330000",
        "network": "23410",
    }
    return part | {name: form[name] for name in ("client-ref", "account-ref") if name in form}


def _refused_part(status: int, about: str = "") -> dict[str, str]:
    return {"status": str(status), "error-text": _SENTENCES.get(status, "Error {}").format(about or status)}


def _encoded(parts: list[dict[str, str]]) -> bytes:
    return msgspec.json.encode({"message-count": str(len(parts)), "messages": parts})


def _refusal(status: int, about: str = "", *, messages: tuple[Taken, ...] = ()) -> Answer:
    return Answer(200, _JSON, _encoded([_refused_part(status, about)]), messages, f"200 {status}")
