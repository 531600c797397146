"""Links and a picture that tell of clicks and opens: signed, never expiring. Nothing is stored for them.

A link carries where it leads (docs/decisions/0035): whoever redirects reads no database, and goes nowhere but where was
signed. Of a token, before base64url:

    form (1 byte) · delivery (16) · number of the link (1) · URL without its scheme · signature (10)

The form is the version, whether the scheme is https or http, and whether the URL is deflated. A picture's token is
form, delivery and signature.
"""

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from templates_app import hyperlinks
from templates_app.catalogue import CategoryFacts
from templates_app.content import EmailText, SmsText, Text
from templates_app.hyperlinks import Hyperlink

#: Our own pages, which people reach as they are: to unsubscribe must not depend on anything.
OUR_PAGES: Final = ("/u/", "/p/", "/o/", "/c/", "/e/")
#: Bytes of a URL; what it becomes is up to a third longer, and Internet Explorer, so Outlook, opens at most 2,083.
LONGEST_URL: Final = 1500

_VERSION: Final = 0x10
_HTTP, _DEFLATED = 0x01, 0x02
_SCHEMES: Final = ("https://", "http://")
_SIGNATURE: Final = 10
_HEAD: Final = 18
_CLICK, _OPEN = b"click", b"open"
#: Words that URLs of messages are made of, the most frequent last. What is signed in links of version 1 can be read
#: with this very text only: a better one is another version.
_WORDS: Final = (
    b"/wp-content/uploads/.html.php?id=&lang=%20%EA%B0%EB%8B%EC%9D%ED%95/help/faq/terms/privacy/login/account/cart/checkout"
    b"/reviews/review/write/orders/order/track/tracking/coupons/coupon/events/event/promotion/categories/category/collections/"
    b"blog/posts/articles/news/notice/items/item/goods/detail/products/product/p/app/ko-kr/ko/en/jam.store.shop.www.mall."
    b"example.com.co.kr/.kr/.net/.org/.io/.com/"
    b"&gclid=&ref=email&source=&utm_id=&utm_term=&utm_content=button&utm_content=banner&utm_campaign=spring_summer_autumn_winter"
    b"_sale_restock_weekly?utm_source=newsletter&utm_medium=sms&utm_campaign=?utm_source=bongsu&utm_medium=email&utm_campaign="
)
#: A browser reads a backslash as a slash, other programs do not: behind it may stand another host than was meant.
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f\\]")
_BODY_END: Final = re.compile(r"</body\s*>", re.IGNORECASE)


class NotALink(ValueError):
    """What was to be signed is no address of a web page."""


class BadToken(Exception):
    """The token was forged, altered or cut."""


@dataclass(frozen=True, slots=True)
class Click:
    """What a link says: by which delivery it came, as the how-manieth of its links, and where it leads."""

    delivery_id: UUID
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a link leads, as it stands in tokens."""

    form: bytes
    rest: bytes


# --- tokens ------------------------------------------------------------------------------------------
@lru_cache(maxsize=4096)
def destination(url: str) -> Destination:
    """Make a URL ready for tokens. Raises `NotALink` unless it leads to a web page by http or https."""
    scheme = next((one for one in _SCHEMES if url[: len(one)].lower() == one), None)
    if scheme is None:
        raise NotALink("A link begins with http:// or https://.")
    if _CONTROL.search(url):
        raise NotALink("A link has no spaces, line breaks, backslashes or control characters; write them as %20.")
    try:
        is_whole = bool(urlsplit(url).hostname)
        plain = url[len(scheme) :].encode()
    except ValueError:
        is_whole, plain = False, b""
    if not is_whole:
        raise NotALink("A link names a host behind http:// or https://.")
    if len(plain) > LONGEST_URL:
        raise NotALink(f"A link of {len(plain)} bytes is too long; at most {LONGEST_URL}.")
    form = _VERSION | (_HTTP if scheme == _SCHEMES[1] else 0)
    deflated = _deflated(plain)
    if len(deflated) < len(plain):
        return Destination(bytes([form | _DEFLATED]), deflated)
    return Destination(bytes([form]), plain)


def click_token(delivery_id: UUID, number: int, leads: Destination) -> str:
    """What follows /c/. Links beyond the 256th share its number."""
    return _signed(_CLICK, leads.form + delivery_id.bytes + bytes([min(number, 255)]) + leads.rest)


def read_click(token: str) -> Click:
    """What a link's token says. Raises `BadToken`."""
    payload = _verified(_CLICK, token)
    form, rest = payload[0], payload[_HEAD:]
    if form & ~(_HTTP | _DEFLATED) != _VERSION:
        raise BadToken
    try:
        plain = _inflated(rest) if form & _DEFLATED else rest
        url = _SCHEMES[form & _HTTP] + plain.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise BadToken from error
    return Click(UUID(bytes=payload[1:17]), payload[17], url)


def open_token(delivery_id: UUID) -> str:
    """What follows /e/, before .gif."""
    return _signed(_OPEN, bytes([_VERSION]) + delivery_id.bytes)


def read_open(token: str) -> UUID:
    """The delivery whose picture was asked for. Raises `BadToken`."""
    payload = _verified(_OPEN, token)
    if payload[0] != _VERSION or len(payload) != 17:
        raise BadToken
    return UUID(bytes=payload[1:17])


def _signed(purpose: bytes, payload: bytes) -> str:
    return urlsafe_b64encode(payload + _signature(settings.SECRET_KEY, purpose, payload)).rstrip(b"=").decode()


def _verified(purpose: bytes, token: str) -> bytes:
    """The payload of a token that one of our keys signed. There is one way to write it, and no other is taken."""
    try:
        whole = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (NotBase64, ValueError) as error:
        raise BadToken from error
    payload, signature = whole[:-_SIGNATURE], whole[-_SIGNATURE:]
    if len(payload) < 17 or urlsafe_b64encode(whole).rstrip(b"=").decode() != token:
        raise BadToken
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if compare_digest(_signature(secret, purpose, payload), signature):
            return payload
    raise BadToken


def _signature(secret: str, purpose: bytes, payload: bytes) -> bytes:
    hashing = _keyed(secret, purpose).copy()
    hashing.update(payload)
    return hashing.digest()


@lru_cache(maxsize=16)
def _keyed(secret: str, purpose: bytes) -> blake2b:
    """BLAKE2's own keyed mode (RFC 7693, 2.9); 80 bits, which nobody guesses by asking."""
    key = salted_hmac("notifications.tracked", "key", secret=secret, algorithm="sha256").digest()
    return blake2b(digest_size=_SIGNATURE, key=key, person=purpose)


def _deflated(plain: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -11, 8, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return packing.compress(plain) + packing.flush()


def _inflated(rest: bytes) -> bytes:
    unpacking = zlib.decompressobj(-11, _WORDS)
    return unpacking.decompress(rest, 4 * LONGEST_URL)


# --- texts -------------------------------------------------------------------------------------------
class Marked:
    """A rendered text, and the places in it that become each person's own. They are found once, however many get it."""

    __slots__ = ("_field", "_leads", "_picture", "_pieces", "_places", "_text")

    def __init__(self, text: Text, field: str = "", links: Sequence[Hyperlink] = (), *, picture: bool = False) -> None:
        self._text = text
        self._field = field
        self._leads: list[Destination] = []
        #: For each destination, where its links stand among the pieces.
        self._places: list[list[int]] = []
        self._pieces: list[str] = []
        self._picture = -1
        if field:
            self._take_apart(getattr(text, field), links, picture=picture)

    def of(self, delivery_id: UUID) -> Text:
        """The text as one person gets it."""
        if not self._places and self._picture < 0:
            return self._text
        quote = '"' if self._field == "html" else ""
        pieces = self._pieces.copy()
        for number, leads in enumerate(self._leads):
            url = f"{quote}{settings.PUBLIC_URL}/c/{click_token(delivery_id, number, leads)}{quote}"
            for place in self._places[number]:
                pieces[place] = url
        if self._picture >= 0:
            pieces[self._picture] = _PICTURE.format(f"{settings.PUBLIC_URL}/e/{open_token(delivery_id)}.gif")
        return replace(self._text, **{self._field: "".join(pieces)})  # type: ignore[arg-type] # a field of its own

    def _take_apart(self, source: str, links: Sequence[Hyperlink], *, picture: bool) -> None:
        numbers: dict[str, int] = {}
        done = 0
        for link in links:
            if link.url not in numbers:
                try:
                    leads = destination(link.url)
                except NotALink:
                    continue
                numbers[link.url] = len(self._leads)
                self._leads.append(leads)
                self._places.append([])
            self._pieces += [source[done : link.start], ""]
            self._places[numbers[link.url]].append(len(self._pieces) - 1)
            done = link.end
        rest = source[done:]
        if picture:
            ends = list(_BODY_END.finditer(rest))
            end = ends[-1].start() if ends else len(rest)
            self._pieces += [rest[:end], ""]
            self._picture = len(self._pieces) - 1
            rest = rest[end:]
        self._pieces.append(rest)


#: Not `display: none`, which some mail programs do not load.
_PICTURE: Final = '<img src="{}" alt="" width="1" height="1" border="0" style="width:1px;height:1px;border:0">'


def marked(text: Text, category: CategoryFacts) -> Marked:
    """Find what is to be followed in a text: as its category wants it, and nothing in what is critical.

    The plain part of an email stays as it is: there the address is what people read, and a signed one of a hundred
    characters and more, broken over lines, says nothing to them (docs/decisions/0035).
    """
    if category.is_critical:
        return Marked(text)
    match text:
        case EmailText(html=html) if html and (category.track_clicks or category.track_opens):
            links = _foreign(hyperlinks.in_html(html)) if category.track_clicks else ()
            return Marked(text, "html", links, picture=category.track_opens)
        case SmsText(body=body) if category.track_texts:
            return Marked(text, "body", _foreign(hyperlinks.in_words(body)))
        case _:
            return Marked(text)


def _foreign(links: Sequence[Hyperlink]) -> list[Hyperlink]:
    """Links that lead elsewhere than to our own pages for people."""
    ours = tuple(settings.PUBLIC_URL + page for page in OUR_PAGES)
    return [link for link in links if not link.url.startswith(ours)]
