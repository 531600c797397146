"""JPush (极光推送), Push API v3: Android phones in China, where FCM does not work."""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import msgspec

from accounts.channels import Channel
from notifications.providers import pushing
from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    Ambiguous,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    Message,
    NoFunds,
    Outcome,
    Refused,
    Request,
    Response,
    Throttled,
    Token,
    Transient,
    Verdict,
)
from notifications.vocabulary import Urgency
from templates_app.content import PushText

#: For how long JPush keeps a message for a device that is off: `time_to_live` in the documents of the Push API.
LONGEST_STORED: Final = timedelta(days=3)
LONGEST_STORED_VIP: Final = timedelta(days=10)

#: `badge_set_num` goes from 0 to 99, `priority` from -2 to 2.
LARGEST_BADGE: Final = 99
PRIORITIES: Final[Mapping[str, int]] = {"min": -2, "low": -1, "default": 0, "high": 1, "max": 2}

#: "Call Return" of the Push API v3 (docs.jiguang.cn, rest_api_v3_push), read 2026-11.
CODES: Final[Mapping[int, tuple[Verdict, str]]] = {
    1000: (Transient, "an error inside JPush"),
    # This adapter posts over HTTPS: if that is not what arrived, the endpoint is another's, or a proxy is in between.
    1001: (CredentialBad, "only POST is understood: is the endpoint right?"),
    1002: (ContentBad, "a parameter is missing"),
    1003: (ContentBad, "a parameter has a value that is not allowed"),
    1004: (CredentialBad, "the app key and the master secret do not fit"),
    1005: (ContentBad, "the message is too large"),
    1008: (CredentialBad, "the app key is none"),
    1009: (ContentBad, "a key is not known"),
    # "cannot find user by this audience or has been inactive for more than 255 days": the audience is one device.
    1011: (AddressDead, "no such device, or it has been inactive for more than 255 days"),
    1012: (Throttled, "more slow pushes at once than the app may have"),
    1020: (CredentialBad, "only HTTPS is understood: is the endpoint right?"),
    1030: (Transient, "a timeout inside JPush"),
    2002: (Throttled, "more calls than the app may make"),
    2003: (CredentialBad, "the app is barred from the API"),
    2004: (CredentialBad, "the address of this server is not on the app's list"),
    2005: (NoFunds, "more messages than JPush finds reasonable"),
    2006: (CredentialBad, "for paying customers only"),
    2007: (CredentialBad, "the app may not use this API"),
}

#: For an answer without a code that is known: docs.jiguang.cn, http_status_code.
HTTP_STATUSES: Final[Mapping[int, Verdict]] = {
    401: CredentialBad,
    403: CredentialBad,
    404: CredentialBad,
    405: CredentialBad,
    410: CredentialBad,
    413: ContentBad,
    429: Throttled,
}

#: Where a tap leads that has no link: the app's first page. Without an intent a tap may do nothing (SDK 4.2.2, later).
HOME: Final = "intent:#Intent;action=android.intent.action.MAIN;end"

_KEY: Final = re.compile(r"[0-9a-f]{24}")


class Failure(msgspec.Struct):
    """Why JPush took nothing."""

    code: int = 0
    message: str = ""


class Answer(msgspec.Struct):
    """What JPush says; `msg_id` may stand beside an error too."""

    msg_id: str | int = ""
    error: Failure = msgspec.field(default_factory=Failure)


#: Not strict, because the documents show numbers as numbers and as text.
_ANSWER: Final = msgspec.json.Decoder(Answer, strict=False)


class Jpush:
    """JPush Push API v3 (docs.jiguang.cn/en/jpush/server/push/rest_api_v3_push)."""

    name: ClassVar[str] = "jpush"
    channel: ClassVar[Channel] = Channel.PUSH
    default_endpoint: ClassVar[str] = "https://api.jpush.cn"
    credentials: ClassVar[Mapping[str, str]] = {
        "app_key": "the app's AppKey, 24 hexadecimal digits",
        "master_secret": "the app's Master Secret, 24 hexadecimal digits",
    }
    settings: ClassVar[Mapping[str, str]] = {
        "android_channel": "optional: the notification channel of the app, for its sound and importance",
        "plan": "optional: vip, for an app of a paying customer, whose messages JPush keeps for 10 days instead of 3",
    }

    def check(self, account: Account) -> None:
        """Raise `BadAccount` when something is missing or does not look like what JPush gives out."""
        account.require(self.credentials)
        for name, words in self.credentials.items():
            if not _KEY.fullmatch(account.credentials[name]):
                raise BadAccount(f"{account.name}: {name} is {words}")
        if account.settings.get("plan", "") not in ("", "vip"):
            raise BadAccount(f"{account.name}: plan is {self.settings['plan']}")

    def authorise(self, _account: Account, _at: datetime, _exchange: Callable[[Request], Exchange]) -> None:
        """No token: the credentials go with each request."""

    def compose(self, message: Message, account: Account, _token: Token | None) -> Request:
        """A notification for one Android device; the app finds `bongsu_delivery_id` and `link` among its extras."""
        text = message.text
        if not isinstance(text, PushText):
            raise TypeError("JPush takes a push text")
        push: dict[str, Any] = {
            "platform": ["android"],
            "audience": {"registration_id": [message.address]},
            "notification": {"android": _android(message, text, account.settings.get("android_channel", ""))},
            "options": _options(message, is_vip=account.settings.get("plan") == "vip"),
        }
        if message.number:
            push["cid"] = message.number
        return Request("POST", f"{account.endpoint}/v3/push", headers(account), msgspec.json.encode(push))

    def interpret(self, response: Response) -> Outcome:
        """JPush's own code decides, then the HTTP status."""
        answer = response.read(_ANSWER) or Answer()
        if response.status == 200 and not answer.error.code:
            if answer.msg_id:
                return Accepted(str(answer.msg_id))
            return Ambiguous("JPush answered 200, and nothing readable that says whether it took the message")
        return refusal(response, answer.error)


def headers(account: Account) -> Mapping[str, str]:
    """What every request to JPush says of us."""
    pair = f"{account.credentials.get('app_key', '')}:{account.credentials.get('master_secret', '')}"
    return {
        "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "content-type": "application/json",
    }


def refusal(response: Response, failure: Failure) -> Refused:
    """What an error means: by its code, or by the HTTP status where that is not known. All else is `Transient`."""
    if failure.code == 1003:
        return _bad_value(failure.message)
    if failure.code in CODES:
        verdict, sentence = CODES[failure.code]
        outcome = verdict(f"{failure.code}: {sentence}")
    else:
        named = f" {failure.code}, which is not known" if failure.code else ""
        outcome = HTTP_STATUSES.get(response.status, Transient)(f"JPush answered HTTP {response.status}{named}")
    match outcome:
        case Throttled() | Transient():
            return msgspec.structs.replace(outcome, retry_after=_reset(response) or response.retry_after)
        case _:
            return outcome


def _bad_value(said: str) -> Refused:
    """1003 is said of any parameter; only its sentence tells of which.

    "The registration_id 140fe1da9e22a23f92f is invalid!" is said of an id that is none of this app's.
    """
    if "registration_id" in said:
        return AddressDead("1003: not a registration id of this app")
    if "cid" in said.lower().split():
        return Transient("1003: the cid is not known or too old", stale_number=True)
    verdict, sentence = CODES[1003]
    return verdict(f"1003: {sentence}")


def _reset(response: Response) -> float | None:
    """`X-Rate-Limit-Reset`: the seconds until the app may make calls again, where it may make none now."""
    left, reset = (response.headers.get(f"x-rate-limit-{name}", "") for name in ("remaining", "reset"))
    if left.strip() != "0" or not (reset.isascii() and reset.isdigit()):
        return None
    return float(reset[:6])


def _android(message: Message, text: PushText, channel: str) -> dict[str, Any]:
    own = pushing.android(text)
    extras = {**message.data, **pushing.extras(text), "bongsu_delivery_id": str(message.delivery_id)}
    android: dict[str, Any] = {
        "alert": text.body,
        "title": text.title,
        "intent": {"url": text.link or HOME},
        "extras": extras,
    }
    if text.image:
        android |= {"style": 3, "big_pic_path": text.image}
    if text.sound and text.sound != "default":
        # The name of a file in res/raw, "without its suffix".
        android["sound"] = text.sound.partition(".")[0]
    if own.channel_id or channel:
        android["channel_id"] = own.channel_id or channel
    if own.priority:
        android["priority"] = PRIORITIES[own.priority]
    if own.color:
        android["icon_bg_color"] = own.color
    if text.badge is not None:
        android["badge_set_num"] = min(text.badge, LARGEST_BADGE)
    return android


def _options(message: Message, *, is_vip: bool) -> dict[str, Any]:
    longest = LONGEST_STORED_VIP if is_vip else LONGEST_STORED
    # 0 is "now or never", for a device that is connected.
    options: dict[str, Any] = {"time_to_live": int(message.lifetime(longest).total_seconds())}
    if message.urgency is Urgency.CRITICAL:
        # Phone makers let few messages a day pass that are not called "system" ones.
        options["classification"] = 1
    return options
