"""What the adapters for push do alike to what a text says besides its words."""

from collections.abc import Mapping
from dataclasses import asdict

import msgspec

from templates_app.content import AndroidOnly, PushText


def buttons(text: PushText) -> list[dict[str, str]]:
    """The buttons as an app reads them: id, label, and link where there is one."""
    return [{name: value for name, value in asdict(button).items() if value} for button in text.buttons]


def extras(text: PushText) -> Mapping[str, str]:
    """What an Android app finds in a message's data. Values are texts, as FCM wants; the buttons are JSON in one."""
    said = {"link": text.link} if text.link else {}
    if text.buttons:
        said["buttons"] = msgspec.json.encode(buttons(text)).decode()
    return said


def android(text: PushText) -> AndroidOnly:
    """What the text says to Android alone."""
    return text.own if isinstance(text.own, AndroidOnly) else _NOTHING


_NOTHING = AndroidOnly()
