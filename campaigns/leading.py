"""Where the links of what a campaign says lead: out to the web, or nowhere that a person who reads it could come."""

from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

from accounts.channels import Channel
from templates_app.catalogue import Edition
from templates_app.content import EmailText, PushText, SmsText
from templates_app.rendering import RenderError
from templates_app.variables import LINK_STAND_INS

#: What may stand before the colon of a link in an email.
_EMAIL: Final = frozenset({"http", "https", "mailto", "tel", "sms"})
#: What no link may begin with, also where apps have schemes of their own.
_NEVER: Final = frozenset({"javascript", "data", "vbscript", "file"})
#: Stands for what is known of each person alone, and could be any link.
_SOMETHING: Final = "…"


def astray(edition: Edition, channels: Sequence[Channel], data: Mapping[str, Any]) -> list[str]:
    """Links of emails and pushes, in every language, that do not lead to a page; as they are written, each once."""
    attributes = {path.split(".")[1]: _SOMETHING for path in edition.content.mentioned if path.startswith("recipient.")}
    said = {"recipient": attributes, **data, **LINK_STAND_INS}
    found = [
        link
        for channel in channels
        if channel is not Channel.SMS
        for locale in edition.content.locales(channel)
        for link in _links(edition, channel, locale, said)
    ]
    return list(dict.fromkeys(found))


def _links(edition: Edition, channel: Channel, locale: str, said: Mapping[str, Any]) -> Iterator[str]:
    try:
        text = edition.render(channel, locale, said)
    except RenderError:  # told elsewhere, at its place in the data
        return
    match text:
        case EmailText(html=html):
            reader = _Reader()
            reader.feed(html)
            yield from (link for link in reader.links if not _leads(link, _EMAIL))
        case PushText(link=link, buttons=buttons):
            yield from (one for one in (link, *(button.link for button in buttons)) if _scheme(one) in _NEVER)
        case SmsText():
            pass


def _leads(link: str, schemes: frozenset[str]) -> bool:
    return _SOMETHING in link or link.startswith("#") or _scheme(link) in schemes


def _scheme(link: str) -> str:
    try:
        return urlsplit(link.strip()).scheme.lower()
    except ValueError:  # no address at all, as http://[
        return ""


class _Reader(HTMLParser):
    """Collects where the links of a document lead."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a link."""
        address = dict(attrs).get("href")
        if tag in {"a", "area"} and address:
            self.links.append(address)
