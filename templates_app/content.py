"""What a template version says, per channel and locale, as plain values.

The same shapes serve as source (every text is Liquid) and as result (every text is rendered), so that
rendering is a function from one to the other and an adapter needs to know one shape a channel.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import msgspec

from accounts.channels import Channel, Platform, PushService

#: The largest push payload APNs and FCM take, in bytes of JSON.
#: developer.apple.com "Generating a remote notification"; firebase.google.com "About FCM messages".
PUSH_PAYLOAD_LIMIT: Final = 4096
#: About what an adapter adds to the texts of a push: ids, and the names around them; and by how much browsers and JPush
#: take less than 4,096 bytes.
_FRAME: Final = 200


@dataclass(frozen=True, slots=True)
class Button:
    """What a person may do about a push without opening it. `id` is what the app knows it by."""

    id: str
    label: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class IosOnly:
    """What only Apple's devices know. `interruption_level` is one of Apple's words; `category` names the app's own."""

    subtitle: str = ""
    interruption_level: str = ""
    thread_id: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class AndroidOnly:
    """What only Android knows. `priority` is min, low, default, high or max; `color` is #rrggbb, of the icon."""

    channel_id: str = ""
    priority: str = ""
    icon: str = ""
    color: str = ""
    click_action: str = ""


@dataclass(frozen=True, slots=True)
class WebOnly:
    """What only browsers know."""

    require_interaction: bool = False


@dataclass(frozen=True, slots=True)
class PushText:
    """A push message. `link` is opened by a tap; `collapse_key` lets a newer message replace an older one.

    `badge` is the number on the app's icon. `ttl`: for how many seconds the message is worth anything, from the moment
    it is sent. `own` is what was said for the one platform that this text is for.
    """

    title: str
    body: str
    image: str = ""
    link: str = ""
    sound: str = ""
    collapse_key: str = ""
    badge: int | None = None
    ttl: int | None = None
    buttons: tuple[Button, ...] = ()
    own: IosOnly | AndroidOnly | WebOnly | None = None


@dataclass(frozen=True, slots=True)
class SmsText:
    """A text message."""

    body: str


@dataclass(frozen=True, slots=True)
class EmailText:
    """An email. `html` may be empty for a plain one; `text` may be empty for an HTML one, never both.

    The HTML of a template holds its `preheader` already: the line that mail programs show beside the subject.
    """

    subject: str
    html: str = ""
    text: str = ""
    preheader: str = ""


Text = PushText | SmsText | EmailText


def labelled(text: Text, label: str) -> Text:
    """The text with a label before what is read first: (광고), as Korean law wants before advertising. Never twice."""
    if not label:
        return text
    match text:
        case PushText(title=title):
            return replace(text, title=_behind(label, title))
        case SmsText(body=body):
            return replace(text, body=_behind(label, body))
        case EmailText(subject=subject):
            return replace(text, subject=_behind(label, subject))


def _behind(label: str, words: str) -> str:
    return words if words.lstrip().startswith(label) else f"{label} {words}".rstrip()


TEXT_OF: Final[Mapping[Channel, type[Text]]] = {
    Channel.PUSH: PushText,
    Channel.SMS: SmsText,
    Channel.EMAIL: EmailText,
}

#: Which platform a service's devices are taken for. One service, one kind of text: what a delivery is claimed with.
PLATFORM_OF: Final[Mapping[str, Platform]] = {
    PushService.APNS: Platform.IOS,
    PushService.FCM: Platform.ANDROID,
    PushService.WEBPUSH: Platform.WEB,
    PushService.JPUSH: Platform.ANDROID,
    PushService.PUSHY: Platform.ANDROID,
}


def payload_size(text: PushText) -> int:
    """About how many bytes of JSON a push becomes: what it says, and a frame for the names around it."""
    said = [text.title, text.body, text.image, text.link, text.sound, text.collapse_key]
    size = _FRAME + sum(len(msgspec.json.encode(part)) for part in said)
    for more in (text.badge, text.ttl):
        size += 0 if more is None else 20
    if text.buttons:
        # as a text inside JSON, which is how it goes to Android: each quotation mark is two bytes
        inner = msgspec.json.encode([asdict(button) for button in text.buttons]).decode()
        size += len(msgspec.json.encode(inner)) + 12
    if text.own:
        size += len(msgspec.json.encode(asdict(text.own)))
    return size


#: As stored on a template version: {"push": {"ko": {"title": …}, "en": {…}}, "sms": {…}}.
RawContent = Mapping[str, Mapping[str, Mapping[str, Any]]]
