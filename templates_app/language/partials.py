"""Parts of texts that several templates share, as plain values. Pure.

As stored, by name: {"footer": {"kind": "html", "texts": {"ko": "…", "en": "…"}}}. What a published version uses is kept
with it in this form, so that it says the same for ever.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from accounts.locales import stand_ins


class PartialKind(StrEnum):
    """Where a partial can be used: in HTML alone, or in every text."""

    HTML = "html"
    PLAIN = "plain"


Partials = Mapping[str, Mapping[str, Any]]
NO_PARTIALS: Final[Partials] = {}


def sources(partials: Partials, locale: str, *, is_html: bool) -> dict[str, str]:
    """What each partial says in a text of `locale`: in the nearest language in which it is written, else its first."""
    return {
        name: _nearest(one["texts"], locale)
        for name, one in partials.items()
        if one["texts"] and (is_html or one["kind"] == PartialKind.PLAIN)
    }


def _nearest(texts: Mapping[str, str], locale: str) -> str:
    for name in stand_ins(locale):
        if name in texts:
            return texts[name]
    return next(iter(texts.values()))


def frozen(partials: Partials, names: frozenset[str]) -> dict[str, Any]:
    """Those that are used, to be kept with a version."""
    return {name: {"kind": partials[name]["kind"], "texts": dict(partials[name]["texts"])} for name in sorted(names)}
