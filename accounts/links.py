"""Links by which people change what they get: signed, never expiring, without a login. Nothing is stored for them.

A link in an email is long and says whom and what it is about, signed by Django. One in a text message has twelve
characters, into which a phone number and a mark that depends on the category are mixed (docs/decisions/0026).
"""

import hmac
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.channels import Channel

UNSUBSCRIBE: Final = "unsubscribe_url"
PREFERENCES: Final = "preferences_url"
OPT_OUT: Final = "optout_url"

_PERSON, _ADDRESS = b"p", b"a"
_CHANNELS: Final = tuple(Channel)


class BadLink(Exception):
    """The link was forged, altered or cut."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a link is about: a recipient, or a contact of whom only an address is known; and the channel it came by."""

    channel: Channel
    recipient_id: UUID | None = None
    address: str = field(default="", repr=False)


# --- links in emails ---------------------------------------------------------------------------------
def unsubscribe_token(subject: Subject, category_id: UUID) -> str:
    """What follows /u/: one category on one channel."""
    return _signed("u", category_id.bytes + _packed(subject))


def preferences_token(subject: Subject) -> str:
    """What follows /p/: everything that the person can choose."""
    return _signed("p", _packed(subject))


def read_unsubscribe(token: str) -> tuple[Subject, UUID]:
    """The person and the category of a token. Raises `BadLink`."""
    payload = _verified("u", token)
    return _unpacked(payload[16:]), UUID(bytes=payload[:16])


def read_preferences(token: str) -> Subject:
    """The person of a token. Raises `BadLink`."""
    return _unpacked(_verified("p", token))


def urls(names: Iterable[str], subject: Subject, category_id: UUID) -> Mapping[str, str]:
    """The links that a text asks for by these names; a text message's opt-out link is a short one."""
    found = {}
    for name in names:
        if name == PREFERENCES:
            found[name] = f"{settings.PUBLIC_URL}/p/{preferences_token(subject)}"
        elif name == OPT_OUT and subject.channel is Channel.SMS and subject.address:
            found[name] = f"{settings.PUBLIC_URL}/o/{optout_code(subject.address, category_id)}"
        else:
            found[name] = f"{settings.PUBLIC_URL}/u/{unsubscribe_token(subject, category_id)}"
    return found


def headers(subject: Subject, category_id: UUID) -> Mapping[str, str]:
    """What lets a mail program unsubscribe with one click (RFC 8058, section 3.1)."""
    return {
        "List-Unsubscribe": f"<{settings.PUBLIC_URL}/u/{unsubscribe_token(subject, category_id)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _packed(subject: Subject) -> bytes:
    channel = bytes([_CHANNELS.index(subject.channel)])
    if subject.recipient_id:
        return _PERSON + channel + subject.recipient_id.bytes
    return _ADDRESS + channel + _cipher(settings.SECRET_KEY).encrypt(subject.address.encode(), None)


def _unpacked(payload: bytes) -> Subject:
    try:
        kind, channel, rest = payload[:1], _CHANNELS[payload[1]], payload[2:]
        return Subject(channel, UUID(bytes=rest)) if kind == _PERSON else Subject(channel, address=_deciphered(rest))
    except (IndexError, ValueError) as error:
        raise BadLink from error


def _signed(purpose: str, payload: bytes) -> str:
    """As Django's `Signer` signs, which derives its key anew for each of a million links."""
    value = signing.b64_encode(payload)
    signature = hmac.digest(_signing_key(settings.SECRET_KEY, purpose), value, "sha256")
    return f"{value.decode()}.{signing.b64_encode(signature).decode()}"


@lru_cache(maxsize=16)
def _signing_key(secret: str, purpose: str) -> bytes:
    return sha256(f"accounts.links.{purpose}signer{secret}".encode()).digest()


def _verified(purpose: str, token: str) -> bytes:
    # Django compares in constant time, and takes the keys in SECRET_KEY_FALLBACKS too
    try:
        return signing.b64_decode(_signer(purpose).unsign(token).encode())
    except (signing.BadSignature, ValueError) as error:
        raise BadLink from error


def _signer(purpose: str) -> signing.Signer:
    return signing.Signer(sep=".", salt=f"accounts.links.{purpose}")


def _keys() -> list[str]:
    return [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]


def _cipher(secret: str) -> AESSIV:
    """Needs no nonce (RFC 5297): the same address gives the same link, and no shorter one would hide it."""
    return AESSIV(salted_hmac("accounts.links.address", "key", secret=secret, algorithm="sha512").digest()[:32])


def _deciphered(sealed: bytes) -> str:
    for secret in _keys():
        try:
            return _cipher(secret).decrypt(sealed, None).decode()
        except (InvalidTag, ValueError):
            continue
    raise BadLink


# --- links in text messages --------------------------------------------------------------------------
_BASE62: Final = string.digits + string.ascii_letters
_CODE_LENGTH: Final = 12
_HALF: Final = 62 ** (_CODE_LENGTH // 2)
#: E.164 has at most 15 digits, the first of which is no zero.
_NUMBERS: Final = 10**15
#: 21 bits are left beside a number.
_MARKS: Final = _HALF * _HALF // _NUMBERS
#: A Feistel network of this many rounds is what NIST SP 800-38G (FF1) takes for such small numbers.
_ROUNDS: Final = 10


def optout_code(phone: str, category_id: UUID) -> str:
    """What follows /o/: twelve letters and digits that stand for a number in E.164 and a category."""
    key = _short_key(settings.SECRET_KEY)
    whole = int(phone.removeprefix("+")) * _MARKS + _mark(key, phone, category_id)
    left, right = divmod(whole, _HALF)
    for place in range(_ROUNDS):
        left, right = right, (left + _round(key, place, right)) % _HALF
    return _in_base62(left) + _in_base62(right)


def read_optout(code: str, categories: Iterable[UUID]) -> tuple[str, list[UUID]]:
    """The number, and which of the categories are meant; one, but for one in a million that means two.

    Raises `BadLink` for a code that means none of them. Of three million codes at random one means a category, and then
    for a number at random, which is hardly anybody's.
    """
    if len(code) != _CODE_LENGTH or not (code.isascii() and code.isalnum()):
        raise BadLink
    known = list(categories)
    for secret in _keys():
        key = _short_key(secret)
        left, right = _from_base62(code[: _CODE_LENGTH // 2]), _from_base62(code[_CODE_LENGTH // 2 :])
        for place in reversed(range(_ROUNDS)):
            left, right = (right - _round(key, place, left)) % _HALF, left
        number, mark = divmod(left * _HALF + right, _MARKS)
        phone = f"+{number}"
        meant = [one for one in known if constant_time_compare(str(_mark(key, phone, one)), str(mark))]
        if meant and len(phone) > 7:
            return phone, meant
    raise BadLink


def _short_key(secret: str) -> bytes:
    return salted_hmac("accounts.links.short", "key", secret=secret, algorithm="sha256").digest()


def _mark(key: bytes, phone: str, category_id: UUID) -> int:
    digest = blake2b(phone.encode() + category_id.bytes, key=key, digest_size=16, person=b"mark").digest()
    return int.from_bytes(digest, "big") % _MARKS


def _round(key: bytes, place: int, half: int) -> int:
    digest = blake2b(bytes([place]) + half.to_bytes(8, "big"), key=key, digest_size=16, person=b"round").digest()
    return int.from_bytes(digest, "big") % _HALF


def _in_base62(number: int) -> str:
    digits = ""
    for _ in range(_CODE_LENGTH // 2):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def _from_base62(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 62 + _BASE62.index(digit)
    return number
