"""Tokens in links and a picture that tell of clicks and opens: signed, never expiring. Nothing is stored for them.

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
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

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
