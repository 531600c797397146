"""The body of FCM's `messages:send`, field by field: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.

Google's JSON reader takes camelCase and snake_case names alike, and refuses every name it does not know.
"""

import re
from typing import Annotated, Any, Final, Literal

import msgspec

_Duration = Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d{1,9})?s$")]
_Texts = dict[str, str]


class _Part(msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    pass


class Notification(_Part):
    """Title and body as every platform shows them."""

    title: str = ""
    body: str = ""
    image: str = ""


class _Options(_Part):
    analytics_label: str = ""


class _Color(_Part):
    red: float = 0
    green: float = 0
    blue: float = 0
    alpha: float = 1


class _LightSettings(_Part):
    color: _Color | None = None
    light_on_duration: _Duration = "0s"
    light_off_duration: _Duration = "0s"


class _AndroidLook(_Part):
    title: str = ""
    body: str = ""
    icon: str = ""
    color: str = ""
    sound: str = ""
    tag: str = ""
    image: str = ""
    click_action: str = ""
    body_loc_key: str = ""
    body_loc_args: list[str] = []
    title_loc_key: str = ""
    title_loc_args: list[str] = []
    channel_id: str = ""
    ticker: str = ""
    sticky: bool = False
    event_time: str = ""
    local_only: bool = False
    default_sound: bool = False
    default_vibrate_timings: bool = False
    default_light_settings: bool = False
    vibrate_timings: list[_Duration] = []
    notification_count: int = 0
    light_settings: _LightSettings | None = None
    visibility: Literal["VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"] = "PRIVATE"
    notification_priority: Literal[
        "PRIORITY_UNSPECIFIED", "PRIORITY_MIN", "PRIORITY_LOW", "PRIORITY_DEFAULT", "PRIORITY_HIGH", "PRIORITY_MAX"
    ] = "PRIORITY_DEFAULT"


class _AndroidNotification(_AndroidLook):
    bypass_proxy_notification: bool = False
    proxy: Literal["PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"] = "PROXY_UNSPECIFIED"


class _AndroidNotificationV2(_AndroidLook):
    id: int = 0


class _AndroidRemote(_Part):
    notification: _AndroidNotificationV2 | None = None
    mutable_content: bool = False
    use_as_v1_data_message: bool = msgspec.field(default=False, name="useAsV1DataMessage")


class _AndroidDelivery(_Part):
    collapse_key: str = ""
    ttl: _Duration = "2419200s"
    restricted_package_name: str = ""
    data: _Texts = {}
    fcm_options: _Options | None = None
    direct_boot_ok: bool = False
    bandwidth_constrained_ok: bool = False
    restricted_satellite_ok: bool = False


class _Android(_AndroidDelivery):
    priority: Literal["NORMAL", "HIGH", "normal", "high"] = "NORMAL"
    notification: _AndroidNotification | None = None


class _AndroidV2(_AndroidDelivery):
    remote_notification: _AndroidRemote | None = None
    background_sync: dict[str, Any] | None = None


class _WebpushOptions(_Options):
    link: str = ""


class _Webpush(_Part):
    headers: _Texts = {}
    data: _Texts = {}
    notification: dict[str, Any] = {}
    fcm_options: _WebpushOptions | None = None


class _ApnsOptions(_Options):
    image: str = ""


class _Apns(_Part):
    headers: _Texts = {}
    payload: dict[str, Any] = {}
    fcm_options: _ApnsOptions | None = None
    live_activity_token: str = ""


class Message(_Part):
    """One message to one target: exactly one of token, topic, condition and fid."""

    name: str = ""
    data: _Texts = {}
    notification: Notification | None = None
    android: _Android | None = None
    android_v2: _AndroidV2 | None = msgspec.field(default=None, name="androidV2")
    webpush: _Webpush | None = None
    apns: _Apns | None = None
    fcm_options: _Options | None = None
    token: str = ""
    topic: str = ""
    condition: str = ""
    fid: str = ""


class SendRequest(_Part):
    """The whole body. `validate_only` asks for an answer without a delivery."""

    message: Message
    validate_only: bool = False


_reader: Final = msgspec.json.Decoder(SendRequest)
#: What is inside these belongs to the sender: its names are left as they are.
_FREE: Final = frozenset({"data", "headers", "payload"})
_SNAKE: Final = re.compile(r"_([a-z0-9])")


class Unreadable(Exception):
    """The body is no valid request. `field` is the path of the trouble, "" for the whole."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def read(body: bytes) -> SendRequest:
    """The request in a body. Raises `Unreadable` in Google's words."""
    try:
        return _reader.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_any_case(body)


def _read_any_case(body: bytes) -> SendRequest:
    try:
        return msgspec.convert(_camel(msgspec.json.decode(body)), SendRequest)
    except msgspec.ValidationError as error:
        raise _in_googles_words(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("Invalid JSON payload received. Unexpected token.") from None


def _camel(value: object) -> object:
    match value:
        case dict():
            return {_camel_name(key): item if key in _FREE else _camel(item) for key, item in value.items()}
        case list():
            return [_camel(item) for item in value]
        case _:
            return value


def _camel_name(name: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), name)


def _in_googles_words(trouble: str) -> Unreadable:
    what, _, where = trouble.partition(" - at `$")
    field = where.rstrip("`").removeprefix(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", what)
    if unknown:
        place = f" at '{field}'" if field else ""
        return Unreadable(
            f'Invalid JSON payload received. Unknown name "{unknown[1]}"{place}: Cannot find field.', field
        )
    return Unreadable(f"Invalid value at '{field}': {what}", field)
