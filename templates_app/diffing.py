"""What changed between two versions: per channel, locale and field, word by word. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, Final

from accounts.channels import Channel
from templates_app.content import RawContent

#: Words with what clings to them, spaces, and single signs: a Korean word keeps its particle.
_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")
#: A changed passage of more words than this is told as a whole: comparing it would cost the square of them.
_AT_MOST: Final = 2_000
#: The name under which sample data is compared, where channels stand otherwise.
SAMPLE: Final = "sample data"


class Kind(StrEnum):
    """What became of a field."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    SAME = "same"


class Mark(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    INSERTED = "inserted"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field of one channel and locale. `parts` in their order are both texts at once."""

    channel: str
    locale: str
    field: str
    kind: Kind
    parts: Sequence[Part]

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to see."""
        return self.kind is not Kind.SAME


def diff(
    before: RawContent, after: RawContent, *, samples: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
) -> Sequence[FieldDiff]:
    """Every field of both, those that changed first; within that by channel, locale, and as they are written."""
    old, new = dict(_fields(before)), dict(_fields(after))
    if samples:
        old |= {(SAMPLE, "", name): _text(value) for name, value in samples[0].items()}
        new |= {(SAMPLE, "", name): _text(value) for name, value in samples[1].items()}
    found = [_compared(where, old.get(where), new.get(where)) for where in sorted({**old, **new}, key=_place)]
    return sorted(found, key=lambda one: not one.is_changed)


def words(before: str, after: str) -> Sequence[Part]:
    """Both texts as one: what was kept, deleted and inserted. Line by line, then by words in those that differ."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    parts: list[Part] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        gone, come = "".join(old[a:b]), "".join(new[c:d])
        parts += [Part(Mark.KEPT, gone)] if kind == "equal" else _by_words(gone, come)
    return _joined(parts)


def _by_words(before: str, after: str) -> Iterator[Part]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _AT_MOST:
        yield from (Part(Mark.DELETED, before), Part(Mark.INSERTED, after))
        return
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Part(Mark.KEPT, "".join(old[a:b]))
        else:
            yield Part(Mark.DELETED, "".join(old[a:b]))
            yield Part(Mark.INSERTED, "".join(new[c:d]))


def _joined(parts: Sequence[Part]) -> Sequence[Part]:
    """Neighbours with one mark are one part; empty ones are none."""
    joined: list[Part] = []
    for part in parts:
        if part.text and joined and joined[-1].mark is part.mark:
            joined[-1] = Part(part.mark, joined[-1].text + part.text)
        elif part.text:
            joined.append(part)
    return joined


def _compared(where: tuple[str, str, str], before: str | None, after: str | None) -> FieldDiff:
    match before, after:
        case None, str(text):
            kind, parts = Kind.ADDED, _joined([Part(Mark.INSERTED, text)])
        case str(text), None:
            kind, parts = Kind.REMOVED, _joined([Part(Mark.DELETED, text)])
        case _ if before == after:
            kind, parts = Kind.SAME, _joined([Part(Mark.KEPT, before or "")])
        case _:
            kind, parts = Kind.CHANGED, words(before or "", after or "")
    return FieldDiff(*where, kind, parts)


def _fields(content: RawContent) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Every field with its place."""
    for channel, locales in content.items():
        for locale, fields in locales.items():
            for name, value in fields.items():
                yield (channel, locale, name), _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)


def _place(where: tuple[str, str, str]) -> tuple[int, str, str]:
    """Channels in the order in which people know them; fields as they were written, which sorting keeps."""
    order = [channel.value for channel in Channel]
    return order.index(where[0]) if where[0] in order else len(order), where[0], where[1]
