"""What a template version says, per channel and locale, as plain values.

The same shapes serve as source (every text is Liquid) and as result (every text is rendered), so that
rendering is a function from one to the other and an adapter needs to know one shape a channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from accounts.channels import Channel

#: The largest push payload APNs and FCM take, in bytes of JSON.
#: developer.apple.com "Generating a remote notification"; firebase.google.com "About FCM messages".
PUSH_PAYLOAD_LIMIT: Final = 4096


@dataclass(frozen=True, slots=True)
class PushText:
    """A push message. `link` is opened by a tap; `collapse_key` lets a newer message replace an older one."""

    title: str
    body: str
    image: str = ""
    link: str = ""
    sound: str = ""
    collapse_key: str = ""


@dataclass(frozen=True, slots=True)
class SmsText:
    """A text message."""

    body: str


@dataclass(frozen=True, slots=True)
class EmailText:
    """An email. `html` may be empty for a plain one; `text` may be empty for an HTML one, never both."""

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

#: As stored on a template version: {"push": {"ko": {"title": …}, "en": {…}}, "sms": {…}}.
RawContent = Mapping[str, Mapping[str, Mapping[str, Any]]]
