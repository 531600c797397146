"""The body of JPush's `/v3/push`, key by key: docs.jiguang.cn/jpush/server/push/rest_api_v3_push.

JPush refuses every key that it does not know (1009). Parts that a push to Android does not need, such as those for
other platforms, need only be objects here.
"""

import re
from typing import Annotated, Any, Final, Literal

import msgspec

#: Bytes of notification and message together, on Android.
_LIMIT: Final = 4000
#: "A valid RegistrationID has 11 or 19 bytes, the first of [0,1], the second of [0-9a], the third of [0-2]", which is
#: the platform, "the others of [0-9a-f]": community.jiguang.cn/article/408910.
_REGISTRATION_ID: Final = re.compile(r"[01][0-9a][0-2][0-9a-f]{8}(?:[0-9a-f]{8})?")
_PLATFORM_OF: Final = {"0": "android", "1": "ios"}
#: Seconds for which a message is kept for somebody who does not pay.
_LONGEST_STORED: Final = 259_200

_Object = dict[str, Any]
_Names = Annotated[list[str], msgspec.Meta(max_length=1000)]


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Audience(_Part):
    """Whom a push is for: the devices that all of these have in common."""

    registration_id: _Names = []
    alias: _Names = []
    tag: _Names = []
    tag_and: _Names = []
    tag_not: _Names = []
    segment: _Names = []
    abtest: _Names = []


class Intent(_Part):
    """Where a tap leads."""

    url: str


class Android(_Part):
    """A notification as Android shows it."""

    alert: str | None = None
    title: str = ""
    builder_id: int = 0
    channel_id: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    category: str = ""
    priority: Annotated[int, msgspec.Meta(ge=-2, le=2)] = 0
    style: Literal[0, 1, 2, 3] = 0
    alert_type: Annotated[int, msgspec.Meta(ge=-1, le=7)] = -1
    big_text: str = ""
    inbox: _Object = {}
    big_pic_path: str = ""
    extras: _Object = {}
    large_icon: str = ""
    small_icon_uri: str = ""
    icon_bg_color: str = ""
    intent: Intent | None = None
    uri_activity: str = ""
    uri_action: str = ""
    badge_add_num: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None
    badge_set_num: Annotated[int, msgspec.Meta(ge=0, le=99)] | None = None
    badge_class: str = ""
    sound: str = ""
    show_begin_time: str = ""
    show_end_time: str = ""
    display_foreground: str = ""


class Notification(_Part):
    """What is shown; `alert` is for the platforms that say nothing of their own."""

    alert: str | None = None
    android: Android | None = None
    ios: _Object | None = None
    hmos: _Object | None = None
    quickapp: _Object | None = None
    voip: _Object | None = None


class Message(_Part):
    """What the app is told, and nobody sees."""

    msg_content: str
    title: str = ""
    content_type: str = ""
    extras: _Object = {}


class Options(_Part):
    """How a push is sent."""

    sendno: int | None = None
    time_to_live: Annotated[int, msgspec.Meta(ge=0, le=_LONGEST_STORED)] = 86_400
    override_msg_id: int | None = None
    apns_production: bool = True
    apns_collapse_id: Annotated[str, msgspec.Meta(max_length=64)] = ""
    big_push_duration: Annotated[int, msgspec.Meta(ge=0, le=1400)] = 0
    third_party_channel: _Object = {}
    classification: Literal[0, 1] = 0
    message_scenario_code: Annotated[str, msgspec.Meta(max_length=40)] = ""


class Push(_Part):
    """A push object."""

    platform: Literal["all"] | list[Literal["android", "ios", "quickapp", "hmos"]]
    audience: Literal["all"] | Audience
    notification: Notification | None = None
    message: Message | None = None
    options: Options = msgspec.field(default_factory=Options)
    cid: str = ""
    sms_message: _Object | None = None
    callback: _Object | None = None

    @property
    def registration_ids(self) -> list[str]:
        """The devices that are named."""
        return [] if isinstance(self.audience, str) else self.audience.registration_id

    @property
    def extras(self) -> _Object:
        """What the app gets besides."""
        android = self.notification.android if self.notification else None
        return (android and android.extras) or (self.message and self.message.extras) or {}


_PUSH: Final = msgspec.json.Decoder(Push)


class Unreadable(Exception):
    """Not a push object; `code` is JPush's."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def read(body: bytes) -> Push:
    """The push in a request body. Raises `Unreadable`."""
    try:
        push = _PUSH.decode(body)
    except msgspec.ValidationError as error:
        said = str(error)
        raise Unreadable(_code_of(said), said) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable(1003, "Parse request params error") from None
    trouble = _incomplete(push) or _wrong(push)
    if trouble:
        raise Unreadable(*trouble)
    return push


def _code_of(said: str) -> int:
    if "unknown field" in said:
        return 1009
    return 1002 if "missing required field" in said else 1003


def _incomplete(push: Push) -> tuple[int, str] | None:
    if push.notification is None and push.message is None:
        return 1002, "Missing parameter: notification or message"
    if push.audience != "all" and not any(msgspec.structs.astuple(push.audience)):
        return 1002, "Missing parameter: audience"
    shown = push.notification
    if shown and shown.alert is None and shown.android and shown.android.alert is None:
        return 1002, "Missing parameter: alert"
    return None


def _wrong(push: Push) -> tuple[int, str] | None:
    if not push.platform:
        return 1003, "The platform is empty!"
    unfit = next((one for one in push.registration_ids if not _REGISTRATION_ID.fullmatch(one)), None)
    if unfit is not None:
        return 1003, f"The registration_id {unfit} is invalid!"
    if push.options.sendno == 0:
        return 1003, "The sendno is invalid!"
    if push.options.override_msg_id is not None:
        return 1003, "The override_msg_id is not one of the last day!"
    if _size(push) > _LIMIT:
        return 1005, "The length of notification and message is more than 4000 bytes"
    return None


def _size(push: Push) -> int:
    parts = (part for part in (push.notification and push.notification.android, push.message) if part)
    return sum(len(msgspec.json.encode(part)) for part in parts)


def is_met(push: Push, registration_id: str) -> bool:
    """Whether a push is for the platform of this device."""
    return push.platform == "all" or _PLATFORM_OF.get(registration_id[2]) in push.platform
