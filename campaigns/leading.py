"""Where the links of what a campaign says lead: out to the web, or nowhere that a person who reads it could come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

from accounts.channels import Channel, Platform
from notifications.tracked import NotALink, destination
from templates_app.catalogue import Edition
from templates_app.content import EmailText, PushText, SmsText
from templates_app.rendering import RenderError
from templates_app.variables import LINK_STAND_INS

#: What may stand before the colon of a link besides http and https: other ways to reach somebody.
_REACHING: Final = frozenset({"mailto", "tel", "sms"})
#: What no link begins with, also where apps have schemes of their own.
_NEVER: Final = frozenset({"javascript", "data", "vbscript", "file", "ftp"})
#: Stands for what is known of each person alone, and could be anything.
_SOMETHING: Final = "…"
_WEB: Final = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Astray:
    """A link as it would go out, and what is wrong with it, in words that follow it."""

    link: str
    why: str


def astray(edition: Edition, channels: Sequence[Channel], data: Mapping[str, Any]) -> list[Astray]:
    """Links of emails and pushes, in every language and for every platform, that lead nowhere; each once.

    Of what is each person's own only the part before it can be looked at here; that no link runs a program, whatever
    is known of a person, is seen to when it is sent (`templates_app.rendering`).
    """
    attributes = {path.split(".")[1]: _SOMETHING for path in edition.content.mentioned if path.startswith("recipient.")}
    said = {"recipient": attributes, **data, **LINK_STAND_INS}
    found = [
        Astray(link, why)
        for channel in channels
        if channel is not Channel.SMS
        for locale in edition.content.locales(channel)
        for platform in edition.content.platforms(channel, locale)
        for link, why in _links(edition, channel, locale, platform, said)
        if why
    ]
    return list(dict.fromkeys(found))


def _links(
    edition: Edition, channel: Channel, locale: str, platform: Platform | None, said: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Every link, and what is wrong with it; "" where nothing is."""
    try:
        text = edition.render(channel, locale, said, platform)
    except RenderError as error:  # what data is missing is told elsewhere, at its place
        if error.link:
            yield error.link, "leads nowhere: it runs a program. Begin it with https://"
        return
    match text:
        case EmailText(html=html):
            reader = _Reader()
            reader.feed(html)
            yield from ((link, _wrong_in_email(link)) for link in reader.links)
        case PushText(link=link, buttons=buttons):
            yield from ((one, _wrong_in_push(one)) for one in (link, *(button.link for button in buttons)) if one)
        case SmsText():
            pass


def _wrong_in_email(link: str) -> str:
    url = link.strip()
    if url.startswith(_SOMETHING) or (url.startswith("#") and url != "#") or _scheme(url) in _REACHING:
        return ""
    return _wrong_on_the_web(url, "mailto:, tel: and sms: are good as well.")


def _wrong_in_push(link: str) -> str:
    url = link.strip()
    scheme = _scheme(url)
    # a web app opens pages of its own
    is_page = url.startswith("/") and not url.startswith("//")
    is_app = url.lower().startswith(f"{scheme}://") and scheme not in {"", "http", "https", *_NEVER}
    if url.startswith(_SOMETHING) or is_page or is_app or scheme in _REACHING:
        return ""
    return _wrong_on_the_web(url, "a scheme of your app, such as myapp://, is good as well.")


def _wrong_on_the_web(url: str, besides: str) -> str:
    if not url.lower().startswith(_WEB):
        return f"{'leads nowhere' if url else 'is empty'}. Begin it with https://; {besides}"
    known, is_more, _ = url.partition(_SOMETHING)
    if is_more and known.lower() in _WEB:
        return ""  # the host is each person's own
    try:
        destination(url)
    except NotALink as error:
        return f"leads nowhere for sure. {error}"
    return ""


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:  # no address at all, as http://[
        return ""


class _Reader(HTMLParser):
    """Collects where the links of a document lead."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a link; of one that is given twice, the first counts."""
        address = dict(reversed(attrs))
        if tag in {"a", "area"} and "href" in address:
            self.links.append(address["href"] or "")
