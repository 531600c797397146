"""Which file says what, and how it is written: the same words always become the same bytes. Pure.

A folder per template: template.json, sample.json, schema.json, push.ko.json, sms.ko.txt, email.ko/subject.txt and so
on. Words stand in files of their own, with a line break behind them that is not part of them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.channels import Channel

#: The folder of what templates share, and the file of categories that are made where they are missing.
PARTIALS: Final = "_partials"
CATEGORIES: Final = "_categories.json"

#: As Django's SlugField takes them.
SLUG: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
#: How the parts of an email are called as files.
EMAIL_FILES: Final[Mapping[str, str]] = {
    "subject": "subject.txt",
    "preheader": "preheader.txt",
    "mjml": "body.mjml",
    "html": "body.html",
    "text": "text.txt",
}
ENDINGS: Final[Mapping[str, str]] = {"html": "html", "plain": "txt"}
#: What template.json says, and what is said where it says nothing.
ABOUT: Final[Mapping[str, Any]] = {
    "title": None,
    "category": None,
    "default_locale": "ko",
    "routing": "",
    "routing_order": [],
    "seen_within_days": None,
    "escalate_after": None,
    "reach": "",
}
_PUSH_ORDER: Final = (
    "title", "body", "image", "link", "sound", "badge", "ttl", "collapse_key", "buttons", "overrides", "id", "label",
)  # fmt: skip
_OWN: Final = re.compile(r"(?:push\.[^/]+\.json|sms\.[^/]+\.txt|email\.[^/]+/[a-z]+\.(?:txt|mjml|html)|[a-z]+\.json)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A template as its files say it: what it is, and what one version of it says."""

    name: str
    about: Mapping[str, Any]
    content: Mapping[str, Mapping[str, Any]]
    sample: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A partial as its files say it."""

    name: str
    title: str
    kind: str
    texts: Mapping[str, str]


def files_of(entry: Entry) -> dict[str, str]:
    """The files of a template, by path from the folder of all, in a fixed order."""
    about = {
        name: entry.about[name]
        for name, usual in ABOUT.items()
        if name in entry.about and (usual is None or name == "default_locale" or entry.about[name] != usual)
        if entry.about[name] is not None
    }
    files = {"template.json": written(about), "sample.json": written(_sorted(entry.sample))}
    if entry.schema:
        files["schema.json"] = written(_sorted(entry.schema))
    for channel, locales in entry.content.items():
        for locale, said in locales.items():
            files |= _files_of_text(channel, locale, said)
    return {f"{entry.name}/{path}": files[path] for path in sorted(files)}


def files_of_part(part: Part) -> dict[str, str]:
    """The files of a partial, likewise."""
    folder = f"{PARTIALS}/{part.name}"
    return {
        f"{folder}/partial.json": written({"title": part.title, "kind": part.kind}),
        **{f"{folder}/{locale}.{ENDINGS[part.kind]}": f"{text}\n" for locale, text in sorted(part.texts.items())},
    }


def is_own(path: str) -> bool:
    """Whether a path inside of a template's folder is one that a template may have."""
    return bool(_OWN.fullmatch(path))


def written(value: Any) -> str:
    """JSON that a person can read and git can compare."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def unended(text: str) -> str:
    """The words of a file: the last line break only ends its last line."""
    return text.removesuffix("\n")


def place_of(channel: str, locale: str, field_name: str, said: Mapping[str, Any]) -> tuple[str, tuple[str | int, ...]]:
    """The file inside of the template's folder in which a field is written, and the way to it where that is JSON."""
    if channel == Channel.SMS:
        return f"sms.{locale}.txt", ()
    if channel == Channel.PUSH:
        way = tuple(int(part) if part.isdigit() else part for part in field_name.split(".") if part)
        return f"push.{locale}.json", way
    known = field_name if field_name in said else next((name for name in ("mjml", "html", "text") if name in said), "")
    return f"email.{locale}/{EMAIL_FILES.get(known, 'subject.txt')}", ()


def _files_of_text(channel: str, locale: str, said: Mapping[str, Any]) -> dict[str, str]:
    match channel:
        case Channel.SMS:
            return {f"sms.{locale}.txt": f"{said['body']}\n"}
        case Channel.EMAIL:
            return {f"email.{locale}/{EMAIL_FILES[name]}": f"{text}\n" for name, text in said.items()}
        case _:
            return {f"{channel}.{locale}.json": written(_sorted(said, _PUSH_ORDER))}


def _sorted(value: Any, first: tuple[str, ...] = ()) -> Any:
    """The database keeps no order of names; a file has one."""
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: (first.index(name) if name in first else len(first), name))
        return {name: _sorted(value[name], first) for name in names}
    return [_sorted(one, first) for one in value] if isinstance(value, list | tuple) else value
