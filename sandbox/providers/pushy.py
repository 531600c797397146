"""Pushy's Send Notifications API (pushy.me/docs/api/send-notifications). The key stands in the address."""

import hmac
import re
import secrets
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

import msgspec

from sandbox.exchange import Answer, Call, Sight, Taken
from sandbox.keys import Keys

_JSON: Final = (("content-type", "application/json; charset=utf-8"),)
_DELIVERY: Final = "bongsu_delivery_id"
#: Tokens look like the ones in Pushy's examples, "a6345d0278adc55d3474f5"; older ones have 20 digits.
_TOKEN: Final = re.compile(r"[0-9a-f]{20,24}")
_TOPIC: Final = re.compile(r"/topics/[a-zA-Z0-9_.-]+")
_TOKENS, _TOPICS = 100_000, 100
#: Bytes of `data`.
_LIMIT: Final = 4096

#: Codes with their HTTP status; only those of the first three, of 429 and of 500 are documented.
_CODES: Final = {
    "NO_RECIPIENTS": (400, "We could not find any devices with those tokens."),
    "INVALID_API_KEY": (401, "The Secret API Key provided is invalid."),
    "INVALID_PARAM": (400, "The request is missing a parameter, or one is invalid."),
    "NO_APNS_AUTH": (400, "Please configure your APNs authentication in the dashboard."),
    "PAYLOAD_LIMIT_EXCEEDED": (400, "The notification payload exceeds the limit of 4 KB."),
    "AUTH_LIMIT_EXCEEDED": (403, "Too many authentication failures."),
    "ACCOUNT_SUSPENDED": (403, "Your account has been suspended."),
    "RATE_LIMIT_EXCEEDED": (429, "You have exceeded the API rate limit."),
    "INTERNAL_SERVER_ERROR": (500, "An internal error has occurred."),
}
_CODE_OF_STATUS: Final = {
    400: "INVALID_PARAM",
    401: "INVALID_API_KEY",
    403: "ACCOUNT_SUSPENDED",
    404: "NO_RECIPIENTS",
    413: "PAYLOAD_LIMIT_EXCEEDED",
    429: "RATE_LIMIT_EXCEEDED",
}
#: Device tokens that begin like this get this answer: sandbox/README.md.
_SPECIAL: Final = {
    "dead0400": "NO_RECIPIENTS",
    "dead0401": "INVALID_API_KEY",
    "dead0402": "ACCOUNT_SUSPENDED",
    "dead0403": "AUTH_LIMIT_EXCEEDED",
    "dead0412": "NO_APNS_AUTH",
    "dead0413": "PAYLOAD_LIMIT_EXCEEDED",
    "dead0422": "INVALID_PARAM",
    "dead0429": "RATE_LIMIT_EXCEEDED",
    "dead0500": "INTERNAL_SERVER_ERROR",
}
#: This one is told of among `failed`, in an answer of success.
_FAILED: Final = "dead0404"


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Notification(_Part):
    """What an iPhone shows; on Android it means nothing."""

    title: str = ""
    body: str = ""
    badge: int | None = None
    sound: str | dict[str, Any] = ""
    category: str = ""
    loc_key: str = ""
    loc_args: list[str] = []
    title_loc_key: str = ""
    title_loc_args: list[str] = []
    interruption_level: str = ""


class Push(_Part):
    """The body of a request."""

    to: str | list[str]
    data: dict[str, Any]
    time_to_live: Annotated[int, msgspec.Meta(ge=1, le=31_536_000)] = 2_592_000
    content_available: bool = False
    mutable_content: bool = False
    collapse_key: Annotated[str, msgspec.Meta(max_length=32)] = ""
    schedule: int | None = None
    notification: Notification | None = None

    @property
    def targets(self) -> list[str]:
        """The tokens or topics."""
        return [self.to] if isinstance(self.to, str) else self.to


_PUSH: Final = msgspec.json.Decoder(Push)


class Pushy:
    """`POST /push?api_key=…`."""

    name = "pushy"

    def __init__(self, keys: Keys) -> None:
        self._api_key = keys.pushy_api_key.encode()

    def answer(self, call: Call) -> Answer:
        """What Pushy would answer; the delivery is named in the data. Each token or topic is a message."""
        if call.path != "/push" or call.method != "POST":
            return Answer(404, (("content-type", "text/html"),), b"<html>Cannot find it</html>", (), "404")
        given = parse_qs(call.query).get("api_key", [""])[-1]
        if not hmac.compare_digest(given.encode(), self._api_key):
            return _refusal("INVALID_API_KEY")
        if not (call.headers.get("content-type") or "").startswith("application/json"):
            return _refusal("INVALID_PARAM")
        try:
            push = _PUSH.decode(call.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _refusal("INVALID_PARAM")
        delivery_id = str(push.data.get(_DELIVERY, "")).lower()
        return _judged(push, tuple(Taken(delivery_id, to, part) for part, to in enumerate(push.targets)))

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """An error as Pushy words it; `reason` is one of its codes."""
        code = reason or _CODE_OF_STATUS.get(status, "INTERNAL_SERVER_ERROR")
        answer = msgspec.structs.replace(_refusal(code), status=status)
        if retry_after is None:
            return answer
        return msgspec.structs.replace(answer, headers=(*answer.headers, ("retry-after", str(retry_after))))

    def sight(self, body: bytes, part: int) -> Sight:
        """The notification that an Android app makes of the data, as Pushy's own example does."""
        data = _PUSH.decode(body).data
        said = {name: str(data.get(name, "")) for name in ("title", "message", "image", "link")}
        return Sight("android", "Bongsu", said["title"], said["message"], image=said["image"], link=said["link"])


def _judged(push: Push, messages: tuple[Taken, ...]) -> Answer:
    targets = push.targets
    topics = [target for target in targets if target.startswith("/")]
    if not targets or not push.data or len(topics) > _TOPICS or len(targets) > _TOKENS:
        return _refusal("INVALID_PARAM", messages)
    if any(not _TOPIC.fullmatch(topic) for topic in topics):
        return _refusal("INVALID_PARAM", messages)
    if len(msgspec.json.encode(push.data)) > _LIMIT:
        return _refusal("PAYLOAD_LIMIT_EXCEEDED", messages)
    special = _SPECIAL.get(targets[0][:8]) if len(targets) == 1 else None
    if special:
        return _refusal(special, messages)
    failed = [target for target in targets if target not in topics and _is_unknown(target)]
    if len(failed) == len(targets) and not failed[0].startswith(_FAILED):
        return _refusal("NO_RECIPIENTS", messages)
    ref = secrets.token_hex(12)
    info = {"devices": len(targets) - len(failed), "failed": failed}
    body = msgspec.json.encode({"success": True, "id": ref, "info": info})
    taken = tuple(message for message in messages if message.address not in failed)
    if not taken:
        return Answer(200, _JSON, body, messages, "200 failed", ref)
    return Answer(200, _JSON, body, taken, "", ref)


def _is_unknown(token: str) -> bool:
    return not _TOKEN.fullmatch(token) or token.startswith((_FAILED, "dead0400"))


def _refusal(code: str, messages: tuple[Taken, ...] = ()) -> Answer:
    status, sentence = _CODES.get(code, (400, code))
    return Answer(status, _JSON, msgspec.json.encode({"code": code, "error": sentence}), messages, f"{status} {code}")
