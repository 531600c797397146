"""The fields of a push beyond words: buttons, badge, lifetime, and what one platform says otherwise. Pure.

A text as it is stored is checked field by field, and laid flat: each Liquid text under a name of its own, so that all
are compiled and rendered alike. What is rendered is put together again by `built`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from accounts.channels import Platform
from templates_app.content import AndroidOnly, Button, IosOnly, PushText, WebOnly

#: Android shows three buttons, iOS ten, browsers two or three.
MOST_BUTTONS: Final = 3
#: Seconds in four weeks: the longest that every push service keeps a message (FCM and browsers 28 days, APNs 30).
LONGEST_TTL: Final = 2_419_200
LARGEST_BADGE: Final = 99_999

#: Those that a platform can have another of.
_COMMON: Final = tuple(field.name for field in fields(PushText) if field.name != "own")
_WORDS: Final = frozenset({"title", "body", "image", "link", "sound", "collapse_key"})
_MOST: Final[Mapping[str, int]] = {"badge": LARGEST_BADGE, "ttl": LONGEST_TTL}

_OWN: Final[Mapping[Platform, type[IosOnly] | type[AndroidOnly] | type[WebOnly]]] = {
    Platform.IOS: IosOnly,
    Platform.ANDROID: AndroidOnly,
    Platform.WEB: WebOnly,
}
#: Fields that take one of these words, and no Liquid. The first: developer.apple.com, UNNotificationInterruptionLevel;
#: the second: AndroidNotification.NotificationPriority of FCM, without its prefix.
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "interruption_level": ("passive", "active", "time-sensitive", "critical"),
    "priority": ("min", "low", "default", "high", "max"),
}
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_BUTTON_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


class Unfit(Exception):
    """A field cannot be used; `field` says which, in dots, and the text why and what would be right."""

    def __init__(self, field: str, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.field = field
        self.line = line
        self.column = column


def is_plain(said: Mapping[str, Any]) -> bool:
    """Whether a push says words alone, as most do."""
    return _WORDS.issuperset(said)


def flat(said: Mapping[str, Any]) -> tuple[dict[str, str], Mapping[str, Any]]:
    """The Liquid texts of a push by dotted names, and what is fixed, likewise. Raises `Unfit`.

    A name is that of the field, with `buttons.0.label` for a part of a button.
    """
    texts: dict[str, str] = {}
    fixed: dict[str, Any] = {}
    for name, value in said.items():
        if name in _MOST:
            texts |= _number(name, value)
        elif name == "buttons":
            _buttons(value, texts, fixed)
        elif name == "require_interaction":
            if not isinstance(value, bool):
                raise Unfit(name, "write true or false.")
            fixed[name] = value
        elif name in CHOICES:
            if value not in ("", *CHOICES[name]):
                raise Unfit(name, f"one of {', '.join(CHOICES[name])}.")
            fixed[name] = value
        elif name == "color":
            if not isinstance(value, str) or (value and not _COLOR.fullmatch(value)):
                raise Unfit(name, "write the colour as #rrggbb.")
            fixed[name] = value
        else:
            texts[name] = value
    return texts, fixed


def overrides(said: Mapping[str, Any]) -> dict[Platform, dict[str, Any]]:
    """What each platform says instead of the common text, complete. Raises `Unfit`."""
    given = said.get("overrides", {})
    if not isinstance(given, Mapping):
        raise Unfit("overrides", f"write an object with {', '.join(_OWN)}.")
    common = {name: value for name, value in said.items() if name != "overrides"}
    whole: dict[Platform, dict[str, Any]] = {}
    for name, changed in given.items():
        place = f"overrides.{name}"
        if name not in list(_OWN):
            raise Unfit(place, f"unknown platform; one of {', '.join(_OWN)}.")
        platform = Platform(name)
        known = [*_COMMON, *(field.name for field in fields(_OWN[platform]))]
        if not isinstance(changed, Mapping):
            raise Unfit(place, f"write an object with any of {', '.join(known)}.")
        if unknown := sorted(set(changed) - set(known)):
            raise Unfit(f"{place}.{unknown[0]}", f"unknown; one of {', '.join(known)}.")
        for required in ("title", "body"):
            if required in changed and not changed[required]:
                raise Unfit(f"{place}.{required}", "is empty; leave it out to say the same as on the others.")
        whole[platform] = {**common, **changed}
    return whole


def builder(platform: Platform | None, fixed: Mapping[str, Any]) -> Callable[[Mapping[str, str]], PushText]:
    """What makes a push of its rendered texts. It raises `Unfit` for a number that is none."""
    kind = _OWN.get(platform) if platform else None
    own_names = frozenset(field.name for field in fields(kind)) if kind else frozenset[str]()
    own_fixed = {name: value for name, value in fixed.items() if name in own_names}
    ids: tuple[str, ...] = fixed.get("buttons", ())

    def built(said: Mapping[str, str]) -> PushText:
        words = {name: text for name, text in said.items() if name in _WORDS}
        own = {**own_fixed, **{name: text for name, text in said.items() if name in own_names}}
        return PushText(
            **words,
            badge=_counted("badge", said.get("badge", "")),
            ttl=_counted("ttl", said.get("ttl", "")),
            buttons=tuple(
                Button(one, said[f"buttons.{place}.label"], said.get(f"buttons.{place}.link", ""))
                for place, one in enumerate(ids)
            ),
            own=kind(**own) if kind and any(own.values()) else None,
        )

    return built


def _number(name: str, value: object) -> dict[str, str]:
    """A number, or a Liquid text that becomes one."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Unfit(name, "write a number, or a text that becomes one.")
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        return {name: value}
    _counted(name, str(value))
    return {name: str(value).strip()} if str(value).strip() else {}


def _counted(name: str, text: str) -> int | None:
    words = text.strip()
    if not words:
        return None
    if not _NUMBER.fullmatch(words) or int(words) > _MOST[name]:
        unit = " seconds" if name == "ttl" else ""
        raise Unfit(name, f"must be a whole number from 0 to {_MOST[name]}{unit}.")
    return int(words)


def _buttons(value: object, texts: dict[str, str], fixed: dict[str, Any]) -> None:
    if not isinstance(value, list | tuple) or len(value) > MOST_BUTTONS:
        raise Unfit("buttons", f"write a list of at most {MOST_BUTTONS} buttons, each with id, label and link.")
    ids: list[str] = []
    for number, button in enumerate(value):
        place = f"buttons.{number}"
        if not isinstance(button, Mapping):
            raise Unfit(place, "write an object with id, label and link.")
        if unknown := sorted(set(button) - {"id", "label", "link"}):
            raise Unfit(f"{place}.{unknown[0]}", "unknown; one of id, label, link.")
        identity = button.get("id", "")
        if not isinstance(identity, str) or not _BUTTON_ID.fullmatch(identity):
            raise Unfit(f"{place}.id", "write at most 32 of the letters a-z, digits, - and _: the app knows it by it.")
        if identity in ids:
            raise Unfit(f"{place}.id", f"{identity} is the id of another button.")
        if not button.get("label"):
            raise Unfit(f"{place}.label", "is missing or empty.")
        ids.append(identity)
        texts |= {f"{place}.{name}": button[name] for name in ("label", "link") if button.get(name, "") != ""}
    fixed["buttons"] = tuple(ids)
