"""Partials: the parts that templates share, as they are now, and who uses them."""

import re
from typing import Any, Final

from accounts.locales import NotALocale, must_be_normal
from templates_app.language.environments import Html, Plain
from templates_app.language.partials import PartialKind, Partials, sources
from templates_app.models import Partial, TemplateVersion, VersionState
from templates_app.rendering import ContentError, Place, parsed, parts_asked

#: What brings a partial into a text.
_BRINGS: Final = r"\{%%-?\s*(?:render|include|extends)\s+['\"]?%s['\"\s,%%-]"


def current() -> Partials:
    """All partials, by name."""
    found = Partial.objects.order_by("name").values_list("name", "kind", "texts")
    return {name: {"kind": kind, "texts": texts} for name, kind, texts in found}


def checked(name: str, kind: str, texts: object, among: Partials | None = None) -> dict[str, str]:
    """The texts of a partial that could be kept. Raises `ContentError` for the first thing that is wrong.

    `among` are the partials that it may bring in, where they are others than those of now.
    """
    if not isinstance(texts, dict) or not texts:
        raise ContentError(Place(name), 'write an object with a text per locale: {"ko": "…"}.')
    known = {**(current() if among is None else among), name: {"kind": kind, "texts": texts}}
    for locale, source in texts.items():
        try:
            must_be_normal(locale)
        except NotALocale as error:
            raise ContentError(Place(name, str(locale)), str(error)) from None
        if not isinstance(source, str):
            raise ContentError(Place(name, locale), "write a text.")
        is_html = kind == PartialKind.HTML
        language = (Html if is_html else Plain)(locale, sources(known, locale, is_html=is_html))
        parts_asked(Place(name, locale), parsed(Place(name, locale), source, language), source, language)
    return texts


def users(name: str) -> tuple[list[TemplateVersion], list[TemplateVersion]]:
    """Versions that use the partial: those that are published or in review, which keep what it was, and drafts, which
    follow.
    """
    versions = TemplateVersion.objects.select_related("template").order_by("template__name", "number")
    keeping = (VersionState.PUBLISHED, VersionState.IN_REVIEW)
    kept = list(versions.filter(state__in=keeping, partials__has_key=name))
    brings = _reaching(name)
    drafts = [one for one in versions.filter(state=VersionState.DRAFT) if any(map(brings.search, _texts(one.content)))]
    return kept, drafts


def _reaching(name: str) -> re.Pattern[str]:
    """Finds whatever brings in `name`, or a partial that does."""
    names, known = {name}, current()
    while True:
        pattern = re.compile(_BRINGS % f"(?:{'|'.join(map(re.escape, sorted(names)))})")
        more = {one for one, it in known.items() if any(pattern.search(str(text)) for text in it["texts"].values())}
        if more <= names:
            return pattern
        names |= more


def _texts(content: Any) -> list[str]:
    """All texts in stored content, however deep."""
    if isinstance(content, str):
        return [content]
    inside = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return [text for inner in inside for text in _texts(inner)]
