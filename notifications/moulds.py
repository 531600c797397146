"""A rendered text, and the places in it that are each person's own: links of theirs, and what tells what they did.

Rendering an email and reading it for its links costs some 200 µs, filling its places a tenth of that. So what says the
same to everybody is rendered once for all of a claim, with marks where each person's own links belong.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from secrets import token_hex
from typing import Final
from uuid import UUID

from django.conf import settings
from markupsafe import escape

from notifications import tracked
from notifications.tracked import Destination, NotALink
from templates_app import hyperlinks
from templates_app.catalogue import CategoryFacts
from templates_app.content import EmailText, PushText, SmsText, Text
from templates_app.hyperlinks import Hyperlink
from templates_app.variables import LINKS

#: Our own pages, which people reach as they are: to unsubscribe must not depend on anything.
OUR_PAGES: Final = ("/u/", "/p/", "/o/", "/c/", "/e/")

_BODY_END: Final = re.compile(r"</body\s*>", re.IGNORECASE)
#: Not `display: none`, which some mail programs do not load.
_PICTURE: Final = '<img src="{}" alt="" width="1" height="1" border="0" style="width:1px;height:1px;border:0">'
#: Nobody knows it, so no data holds a mark.
_SECRET: Final = token_hex(16)


class Mould:
    """A text and its places. They are found once, however many get it."""

    __slots__ = ("_fields", "_text", "fits_all")

    def __init__(self, text: Text, followed: Mapping[str, Sequence[Hyperlink]], *, picture: bool) -> None:
        """`followed` are the links of each field that are to tell of clicks; `picture`: one that tells of opens."""
        self._text = text
        whole = [str(text)] if isinstance(text, PushText) else [one.url for links in followed.values() for one in links]
        #: Whether it can be filled for anybody. It cannot where a link that is followed leads on to a person's own, and
        #: pushes have them in their buttons too.
        self.fits_all = not any(map(_mark().search, whole))
        found = {
            field.name: _Field(
                value,
                followed.get(field.name, ()),
                is_html=field.name == "html",
                picture=picture and field.name == "html",
            )
            for field in fields(text)
            if isinstance(value := getattr(text, field.name), str) and value
        }
        self._fields = {name: field for name, field in found.items() if field.has_places}

    def filled(self, delivery_id: UUID, own: Mapping[str, str]) -> Text:
        """The text as one person gets it; `own` are the links for which marks stand."""
        if not self._fields:
            return self._text
        values = {name: field.filled(delivery_id, own) for name, field in self._fields.items()}
        return replace(self._text, **values)  # type: ignore[arg-type] # fields of its own, all of them texts


def marks(names: Iterable[str]) -> Mapping[str, str]:
    """What stands for a person's own links, by their names, while a text is rendered for many."""
    return {name: f"{_mark_prefix(settings.PUBLIC_URL)}{name}" for name in names}


def moulded(text: Text, category: CategoryFacts) -> Mould:
    """Find the places of a rendered text. Followed is what its category wants, and nothing in what is critical.

    The plain part of an email stays as it is: there the address is what people read, and a signed one of a hundred
    characters and more, broken over lines, says nothing to them (docs/decisions/0035).
    """
    if category.is_critical:
        return Mould(text, {}, picture=False)
    match text:
        case EmailText(html=html) if html:
            links = _foreign(hyperlinks.in_html(html)) if category.track_clicks else ()
            return Mould(text, {"html": links}, picture=category.track_opens)
        case SmsText(body=body) if category.track_texts:
            return Mould(text, {"body": _foreign(hyperlinks.in_words(body))}, picture=False)
        case _:
            return Mould(text, {}, picture=False)


class _Field:
    """One text, taken apart at its places."""

    __slots__ = ("_is_html", "_leads", "_own", "_picture", "_pieces")

    def __init__(self, source: str, links: Sequence[Hyperlink], *, is_html: bool, picture: bool) -> None:
        self._is_html = is_html
        self._pieces: list[str] = []
        #: Each destination, and where its links stand among the pieces.
        self._leads: list[tuple[Destination, list[int]]] = []
        #: Names of a person's own links, and where they stand.
        self._own: list[tuple[str, int]] = []
        self._picture = -1
        self._take_apart(source, links, picture=picture)

    @property
    def has_places(self) -> bool:
        """Whether anybody gets another text than the others."""
        return len(self._pieces) > 1

    def filled(self, delivery_id: UUID, own: Mapping[str, str]) -> str:
        """The text with what belongs into its places."""
        quote = '"' if self._is_html else ""
        pieces = self._pieces.copy()
        for name, place in self._own:
            pieces[place] = str(escape(own[name])) if self._is_html else own[name]
        for number, (leads, places) in enumerate(self._leads):
            url = f"{quote}{settings.PUBLIC_URL}/c/{tracked.click_token(delivery_id, number, leads)}{quote}"
            for place in places:
                pieces[place] = url
        if self._picture >= 0:
            pieces[self._picture] = _PICTURE.format(f"{settings.PUBLIC_URL}/e/{tracked.open_token(delivery_id)}.gif")
        return "".join(pieces)

    def _take_apart(self, source: str, links: Sequence[Hyperlink], *, picture: bool) -> None:
        done = 0
        for link, places in self._led(links):
            self._keep(source[done : link.start])
            places.append(self._place())
            done = link.end
        rest = source[done:]
        if picture:
            ends = list(_BODY_END.finditer(rest))
            end = ends[-1].start() if ends else len(rest)
            self._keep(rest[:end])
            self._picture = self._place()
            rest = rest[end:]
        self._keep(rest)

    def _led(self, links: Sequence[Hyperlink]) -> Iterator[tuple[Hyperlink, list[int]]]:
        """The links that can be signed, and the places of all with the same destination."""
        places: dict[str, list[int]] = {}
        for link in links:
            if link.url not in places:
                try:
                    leads = tracked.destination(link.url)
                except NotALink:
                    continue
                places[link.url] = []
                self._leads.append((leads, places[link.url]))
            yield link, places[link.url]

    def _keep(self, source: str) -> None:
        """What everybody gets, but for the marks in it."""
        done = 0
        for found in _mark().finditer(source):
            self._pieces.append(source[done : found.start()])
            self._own.append((found[1], self._place()))
            done = found.end()
        self._pieces.append(source[done:])

    def _place(self) -> int:
        self._pieces.append("")
        return len(self._pieces) - 1


def _foreign(links: Sequence[Hyperlink]) -> list[Hyperlink]:
    """Links that lead elsewhere than to our own pages for people."""
    ours = tuple(settings.PUBLIC_URL + page for page in OUR_PAGES)
    return [link for link in links if not link.url.startswith(ours)]


def _mark_prefix(public_url: str) -> str:
    # an address of our own, so that it is taken for what it stands for
    return f"{public_url}{OUR_PAGES[0]}{_SECRET}-"


def _mark() -> re.Pattern[str]:
    return _marks_of(settings.PUBLIC_URL)


@lru_cache(maxsize=4)
def _marks_of(public_url: str) -> re.Pattern[str]:
    return re.compile(re.escape(_mark_prefix(public_url)) + f"({'|'.join(sorted(LINKS))})")
