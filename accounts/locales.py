"""Languages, as BCP 47 writes them: which form we keep, and what stands in for what. Free of Django."""

import re
from collections.abc import Iterator
from typing import Final

#: language, optionally script, optionally region (RFC 5646, section 2.1), as phones and browsers write them.
_FORM: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")


class NotALocale(ValueError):
    """The text is no language tag; the message says what would be."""


def normal(text: str) -> str:
    """`text` as BCP 47 recommends to write it: ko-KR, zh-Hant-TW. Raises `NotALocale`."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise NotALocale("Not a locale. Write a language, and a region if it matters: ko, ko-KR or zh-Hant-TW.")
    language, script, region = found.groups()
    parts = (language.lower(), script.title() if script else "", region.upper() if region else "")
    return "-".join(part for part in parts if part)


def must_be_normal(text: str) -> None:
    """For locales that people write into files and texts, where one has one name. Raises `NotALocale`."""
    if normal(text) != text:
        raise NotALocale(f"write the locale as {normal(text)}.")


def stand_ins(locale: str) -> Iterator[str]:
    """The locale itself and what it may be replaced by, nearest first: ko-KR, ko (RFC 4647, section 3.4)."""
    while locale:
        yield locale
        locale = locale.rpartition("-")[0]
