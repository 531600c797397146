"""A folder of templates as plain values, with every mistake in its files. Nothing outside of the folder is read."""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from accounts.channels import Channel
from accounts.locales import NotALocale, must_be_normal, normal
from templates_app.files import positions
from templates_app.files.layout import ABOUT, CATEGORIES, EMAIL_FILES, ENDINGS, PARTIALS, SLUG, Entry, Part, unended
from templates_app.files.positions import NotJson
from templates_app.mistakes import line_and_column

#: Bytes of one file, and files of a folder: far more than anybody writes, far less than a memory.
LARGEST: Final = 1_000_000
MOST_FILES: Final = 5_000
#: Folders inside of each other: _partials/footer, restock/email.ko.
_DEEPEST: Final = 3
#: What a person may keep beside the templates.
_BESIDE: Final = frozenset({"README.md"})
_TEXT_OF_FILE: Final[Mapping[str, str]] = {file: name for name, file in EMAIL_FILES.items()}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong, and where; line and column from 1."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


@dataclass(slots=True)
class Folder:
    """What was read: `sources` holds each file's text by its path, so that mistakes found later can say where."""

    sources: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    categories: Mapping[str, Any] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, path: str, message: str, line: int = 1, column: int = 1) -> None:
        """Note a mistake."""
        self.mistakes.append(Mistake(path, line, column, message))

    def wrong_in(self, path: str, way: tuple[str | int, ...], message: str) -> None:
        """Note a mistake about a value inside of a file of JSON."""
        self.wrong(path, message, *positions.inside(self.sources[path], way))


def read(root: Path) -> Folder:
    """All that the folder says. Mistakes are in the answer; what has one is left out of the rest."""
    folder = Folder()
    if not root.is_dir():
        folder.wrong(str(root), "is no folder.")
        return folder
    for path, file in _files(root, folder):
        text = _text(path, file, folder)
        if text is not None:
            folder.sources[path] = text
    by_folder: dict[str, list[str]] = {}
    for path in folder.sources:
        name, _, inner = path.partition("/")
        if name == PARTIALS and inner:
            by_folder.setdefault(f"{PARTIALS}/{inner.partition('/')[0]}", []).append(path)
        elif inner:
            by_folder.setdefault(name, []).append(path)
        elif path == CATEGORIES:
            folder.categories = _object(path, folder) or {}
        elif path not in _BESIDE:
            folder.wrong(path, f"unknown file; a template is a folder, beside which {CATEGORIES} may stand.")
    for name, paths in by_folder.items():
        if name.startswith(f"{PARTIALS}/"):
            _part(name, paths, folder)
        else:
            _entry(name, paths, folder)
    return folder


def _files(root: Path, folder: Folder) -> Iterator[tuple[str, Path]]:
    """Every file, by its path from `root` in a fixed order. Links are not followed; hidden files are not ours."""
    count = 0
    for here, folders, names in os.walk(root, followlinks=False):
        inner = Path(here).relative_to(root)
        for name in list(folders):
            path = (inner / name).as_posix()
            if name.startswith("."):
                folders.remove(name)
            elif (Path(here) / name).is_symlink():
                folders.remove(name)
                folder.wrong(path, "is a symbolic link; put the files themselves here.")
            elif len(inner.parts) + 1 >= _DEEPEST:
                folders.remove(name)
                folder.wrong(path, "unknown folder; templates have none so deep.")
        folders.sort()
        for name in sorted(names):
            if name.startswith("."):
                continue
            count += 1
            if count > MOST_FILES:
                folder.wrong((inner / name).as_posix(), f"more than {MOST_FILES} files; push them in parts.")
                return
            yield (inner / name).as_posix(), Path(here) / name


def _text(path: str, file: Path, folder: Folder) -> str | None:
    if file.is_symlink() or not file.is_file():
        folder.wrong(path, "is a symbolic link, or no file; put the file itself here.")
        return None
    with file.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        folder.wrong(path, f"larger than {LARGEST:,} bytes.")
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        folder.wrong(path, "not UTF-8; save it so.", *line_and_column(data[: error.start].decode(), error.start))
        return None
    if text.startswith("\ufeff"):
        folder.wrong(path, "begins with a byte order mark; save it as UTF-8 without one.")
        return None
    if "\0" in text:
        folder.wrong(path, "contains a NUL character; remove it.", *line_and_column(text, text.index("\0")))
        return None
    return text


def _object(path: str, folder: Folder) -> dict[str, Any] | None:
    try:
        value = positions.parsed(folder.sources[path])
    except NotJson as error:
        folder.wrong(path, str(error), *line_and_column(folder.sources[path], error.index))
        return None
    if not isinstance(value, dict):
        folder.wrong(path, "write an object: {…}.")
        return None
    if "\\u0000" in folder.sources[path] or _has_lone_surrogate(value):
        folder.wrong(path, "contains a character that no text may have (\\u0000, or half of a pair).")
        return None
    return value


def _has_lone_surrogate(value: object) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in str(value))


def _named(name: str, path: str, folder: Folder) -> bool:
    if SLUG.fullmatch(name):
        return True
    folder.wrong(path, "its folder is its name: at most 80 of the letters a-z, digits, - and _.")
    return False


def _entry(name: str, paths: list[str], folder: Folder) -> None:
    """A template, if its files are what they should be."""
    about_path = f"{name}/template.json"
    before = len(folder.mistakes)
    _named(name, paths[0], folder)
    if about_path not in paths:
        folder.wrong(about_path, "is missing; write title, category and default_locale.")
        return
    objects: dict[str, dict[str, Any]] = {}
    content: dict[str, dict[str, Any]] = {}
    for path in paths:
        inner = path.removeprefix(f"{name}/")
        if inner in ("template.json", "sample.json", "schema.json"):
            if (value := _object(path, folder)) is not None:
                objects[inner] = value
        else:
            _said(path, inner, content, folder)
    if "template.json" in objects:
        _check_about(about_path, objects["template.json"], folder)
    if not content:
        folder.wrong(about_path, "says nothing; write push.ko.json, sms.ko.txt or email.ko/subject.txt.")
    if len(folder.mistakes) == before:
        ordered = {channel.value: content[channel] for channel in Channel if channel in content}
        folder.entries[name] = Entry(
            name,
            {**{key: usual for key, usual in ABOUT.items() if usual is not None}, **objects["template.json"]},
            ordered,
            objects.get("sample.json", {}),
            objects.get("schema.json", {}),
        )


def _check_about(path: str, about: Mapping[str, Any], folder: Folder) -> None:
    for key in about:
        if key not in ABOUT:
            near = difflib.get_close_matches(key, ABOUT, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(ABOUT)}."
            folder.wrong_in(path, (key,), f"{key!r} is unknown; {hint}")
    for key in ("title", "category"):
        if not isinstance(about.get(key), str) or not about[key]:
            folder.wrong_in(path, (key,), f"write a {key!r}.")
    for key in ("seen_within_days", "escalate_after"):
        if type(about.get(key, 0)) is not int:
            folder.wrong_in(path, (key,), f"{key!r} is a whole number.")
    _check_default_locale(path, about.get("default_locale", ABOUT["default_locale"]), folder)


def _check_default_locale(path: str, locale: object, folder: Folder) -> None:
    try:
        must_be_normal(str(locale))
    except NotALocale as error:
        folder.wrong_in(path, ("default_locale",), str(error))


def _said(path: str, inner: str, content: dict[str, dict[str, Any]], folder: Folder) -> None:
    """What one file says, put where the content has it."""
    first, _, last = inner.partition("/")
    channel, _, rest = first.partition(".")
    locale, _, ending = (rest, "", "") if last else rest.rpartition(".")
    known = {"push": ending == "json" and not last, "sms": ending == "txt" and not last, "email": last in _TEXT_OF_FILE}
    if not known.get(channel) or not locale:
        names = "template.json, sample.json, schema.json, push.ko.json, sms.ko.txt, email.ko/"
        folder.wrong(path, f"unknown file; a template has {names}{{{','.join(EMAIL_FILES.values())}}}.")
        return
    if not _is_locale(locale, path, folder):
        return
    texts = content.setdefault(channel, {})
    if channel == Channel.EMAIL:
        texts.setdefault(locale, {})[_TEXT_OF_FILE[last]] = unended(folder.sources[path])
    elif channel == Channel.SMS:
        texts[locale] = {"body": unended(folder.sources[path])}
    elif (value := _object(path, folder)) is not None:
        texts[locale] = value


def _is_locale(locale: str, path: str, folder: Folder) -> bool:
    try:
        if normal(locale) == locale:
            return True
        folder.wrong(path, f"write the locale as {normal(locale)}.")
    except NotALocale as error:
        folder.wrong(path, f"{locale!r}: {error}")
    return False


def _part(prefix: str, paths: list[str], folder: Folder) -> None:
    """A partial, if its files are what they should be."""
    about_path, before = f"{prefix}/partial.json", len(folder.mistakes)
    name = prefix.partition("/")[2]
    _named(name, paths[0], folder)
    if about_path not in paths:
        folder.wrong(about_path, "is missing; write title and kind, which is html or plain.")
        return
    about = _object(about_path, folder)
    if about is None:
        return
    kind = about.get("kind")
    if not isinstance(about.get("title"), str) or not about["title"] or len(about["title"]) > 120:
        folder.wrong_in(about_path, ("title",), "write a 'title' of at most 120 characters.")
    if not isinstance(kind, str) or kind not in ENDINGS:
        folder.wrong_in(about_path, ("kind",), "'kind' is html or plain.")
        return
    for key in sorted(set(about) - {"title", "kind"}):
        folder.wrong_in(about_path, (key,), f"{key!r} is unknown; one of title, kind.")
    texts = {}
    for path in paths:
        locale, _, ending = path.removeprefix(f"{prefix}/").rpartition(".")
        if path == about_path:
            continue
        if ending != ENDINGS[kind] or "/" in locale:
            folder.wrong(path, f"unknown file; a partial of kind {kind} has ko.{ENDINGS[kind]} and the like.")
        elif _is_locale(locale, path, folder):
            texts[locale] = unended(folder.sources[path])
    if not texts:
        folder.wrong(about_path, f"says nothing; write ko.{ENDINGS[kind]}.")
    if len(folder.mistakes) == before:
        # as the database orders them, of which the first stands in
        folder.parts[name] = Part(
            name, about["title"], kind, dict(sorted(texts.items(), key=lambda it: (len(it[0]), it[0])))
        )
