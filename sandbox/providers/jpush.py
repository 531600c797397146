"""JPush, the push service of Jiguang (极光): docs.jiguang.cn/jpush/server/push/rest_api_v3_push."""

import base64
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from typing import Final
from urllib.parse import parse_qs

import msgspec

from sandbox.exchange import Answer, Call, Sight, Taken
from sandbox.keys import Keys
from sandbox.providers.jpush_push import Push, Unreadable, is_met, read

_JSON: Final = ("content-type", "application/json")
_DELIVERY: Final = "bongsu_delivery_id"
_PUSH, _VALIDATE, _CID = "/v3/push", "/v3/push/validate", "/v3/push/cid"
#: Seconds for which a cid is valid: "The CID is valid for 1 day."
_VALID_FOR: Final = 86_400
#: Cids that one call gives to an app whose owner does not pay.
_CIDS_AT_ONCE: Final = 10
#: Calls a minute of such an app, and the seconds of that window.
_QUOTA, _WINDOW = 600, 60

#: "Call Return", the HTTP status and the sentence of each code.
_CODES: Final = {
    1000: (500, "Internal error"),
    1001: (405, "Only support HTTP Post method"),
    1002: (400, "Missing parameter"),
    1003: (400, "Invalid parameter"),
    1004: (401, "Authen failed"),
    1005: (400, "Message is too large"),
    1008: (400, "Invalid app key"),
    1009: (400, "Unsupported key in push object"),
    1011: (400, "cannot find user by this audience or has been inactive for more than 255 days"),
    1012: (400, "The number of slow pushes exceeds the limit"),
    1020: (404, "Only support HTTPS"),
    1030: (503, "Internal timeout"),
    2002: (429, "Rate limit exceeded"),
    2003: (403, "The appKey is in black list."),
    2004: (403, "No permission: the ip is not in the white list"),
    2005: (403, "The amount of messages exceeds a reasonable range"),
    2006: (403, "Only for VIP users"),
    2007: (403, "No permission to call this API"),
}
_CODE_OF_STATUS: Final = {400: 1003, 401: 1004, 403: 2003, 404: 1020, 405: 1001, 429: 2002, 503: 1030}
#: Registration ids with a fate, sandbox/README.md: of an Android phone, and with a code.
_FATE: Final = re.compile(r"1a0dead(\d{4})[0-9a-f]{8}")


class Jpush:
    """`POST /v3/push` and `/v3/push/validate`, and `GET /v3/push/cid`.

    A cid carries its own proof and age, so that those which were handed out before a restart stay good.
    """

    name = "jpush"

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        pair = f"{keys.jpush_app_key}:{keys.jpush_master_secret}".encode()
        self._authorization = f"Basic {base64.b64encode(pair).decode()}".encode()
        #: What was answered under each cid, and when.
        self._answers: OrderedDict[str, tuple[float, bytes, str]] = OrderedDict()

    def answer(self, call: Call) -> Answer:
        """What JPush would answer; the delivery is named in the extras. Each device in the audience is a message."""
        answer = self._judged(call)
        return msgspec.structs.replace(answer, headers=(*answer.headers, *_rate_limit(call.at)))

    def keep(self, call: Call, answer: Answer) -> None:
        """Remember the first result under a cid, for as long as it is valid."""
        if not answer.messages or not (cid := read(call.body).cid):
            return
        while self._answers and next(iter(self._answers.values()))[0] < call.at - _VALID_FOR:
            self._answers.popitem(last=False)
        self._answers[cid] = (call.at, answer.body, answer.ref)

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as JPush words it; `reason` is one of its codes."""
        code = int(reason) if reason.isdecimal() else _CODE_OF_STATUS.get(status, 1000)
        answer = msgspec.structs.replace(_refusal(code), status=status)
        if retry_after is None:
            return answer
        wait = str(retry_after)
        told = (("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", wait), ("retry-after", wait))
        return msgspec.structs.replace(answer, headers=(*answer.headers, *told))

    def sight(self, body: bytes, part: int) -> Sight:
        """The notification as Android shows it."""
        push = read(body)
        shown = push.notification
        android = shown.android if shown else None
        link = str(push.extras.get("link", ""))
        if android and android.intent and not android.intent.url.startswith("intent:"):
            link = android.intent.url
        return Sight(
            kind="android",
            sender="Bongsu",
            title=android.title if android else "",
            body=((android and android.alert) or (shown and shown.alert) or ""),
            image=android.big_pic_path if android and android.style == 3 else "",
            link=link,
        )

    # --- judging -----------------------------------------------------------------------------------
    def _judged(self, call: Call) -> Answer:
        if call.path not in (_PUSH, _VALIDATE, _CID):
            return Answer(404, (("content-type", "text/html"),), b"<html>404 Not Found</html>", (), "404")
        given = (call.headers.get("authorization") or "").encode()
        if not hmac.compare_digest(given, self._authorization):
            return _refusal(1004)
        if call.path == _CID:
            return self._cids(call) if call.method == "GET" else _refusal(1001, "Only support HTTP Get method")
        if call.method != "POST":
            return _refusal(1001)
        try:
            push = read(call.body)
        except Unreadable as error:
            return _refusal(error.code, str(error))
        delivery_id = str(push.extras.get(_DELIVERY, "")).lower()
        devices = push.registration_ids or ["all"]
        messages = tuple(Taken(delivery_id, device, part) for part, device in enumerate(devices))
        return self._pushed(call, push, messages)

    def _pushed(self, call: Call, push: Push, messages: tuple[Taken, ...]) -> Answer:
        if push.cid:
            if not self._is_valid(push.cid, call.at):
                return _refusal(1003, f"The cid {push.cid} is invalid!", messages)
            known = self._answers.get(push.cid)
            if known is not None:
                # the first result, and nobody is sent anything
                return Answer(200, (_JSON,), known[1], (), "", known[2])
        if len(messages) == 1 and (code := _fate(messages[0].address)):
            return _refusal(code, messages=messages)
        if push.registration_ids and not any(is_met(push, device) for device in push.registration_ids):
            return _refusal(1011, messages=messages)
        msg_id = str(secrets.randbits(53))
        body = msgspec.json.encode({"sendno": str(push.options.sendno or 0), "msg_id": msg_id})
        return Answer(200, (_JSON,), body, () if call.path == _VALIDATE else messages, "", msg_id)

    # --- cids --------------------------------------------------------------------------------------
    def _cids(self, call: Call) -> Answer:
        asked = {name: values[-1] for name, values in parse_qs(call.query, keep_blank_values=True).items()}
        count, kind = asked.get("count", "1"), asked.get("type", "push")
        if set(asked) - {"count", "type"} or kind not in ("push", "schedule"):
            return _refusal(1003, "The parameters of the cid pool are invalid!")
        if not (count.isascii() and count.isdigit()) or not 1 <= int(count[:9]) <= 1000:
            return _refusal(1003, "The count is invalid!")
        cids = [self._cid(call.at) for _ in range(min(int(count), _CIDS_AT_ONCE))]
        return Answer(
            200, (("content-type", "application/json; charset=utf-8"),), msgspec.json.encode({"cidlist": cids})
        )

    def _cid(self, at: float) -> str:
        stem = f"{int(at):08x}{secrets.token_hex(4)}"
        digits = stem + self._proof(stem)
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return f"{self._keys.jpush_app_key}-{'-'.join(parts)}"

    def _is_valid(self, cid: str, at: float) -> bool:
        """Whether this app was given it, and no more than a day ago."""
        app_key, _, rest = cid.partition("-")
        digits = rest.replace("-", "")
        if app_key != self._keys.jpush_app_key or not re.fullmatch(r"[0-9a-f]{32}", digits):
            return False
        genuine = hmac.compare_digest(digits[16:], self._proof(digits[:16]))
        return genuine and at - _VALID_FOR <= int(digits[:8], 16) <= at

    def _proof(self, stem: str) -> str:
        return hmac.new(self._keys.jpush_master_secret.encode(), stem.encode(), hashlib.sha256).hexdigest()[:16]


def _rate_limit(at: float) -> tuple[tuple[str, str], ...]:
    """What every answer says of the app's quota: "Get Frequency Information" of the server overview."""
    return (
        ("x-rate-limit-quota", str(_QUOTA)),
        ("x-rate-limit-remaining", str(_QUOTA - 1)),
        ("x-rate-limit-reset", str(_WINDOW - int(at) % _WINDOW)),
    )


def _fate(registration_id: str) -> int:
    """The code with which this device is refused; 0 for one without a fate."""
    found = _FATE.fullmatch(registration_id)
    return int(found[1]) if found and int(found[1]) in _CODES else 0


def _refusal(code: int, sentence: str = "", messages: tuple[Taken, ...] = ()) -> Answer:
    status, usual = _CODES.get(code, (400, f"Error {code}"))
    body = msgspec.json.encode({"error": {"code": code, "message": sentence or usual}})
    return Answer(status, (_JSON,), body, messages, f"{status} {code}")
