"""What every adapter for email does alike to a text, an address and a mail server's words."""

import re
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import idna

#: Both begin where a word does: from its middle no more would be found, and a long one would be read again and again.
_ADDRESS: Final = re.compile(r"(?<![^\s<>])[^\s<>]+@[^\s<>]+")
_IN_PATH: Final = re.compile(r"(?<![^/])[^/]+(?:@|%40)[^/]+")
_DETAIL_LIMIT: Final = 300


def one_line(subject: str) -> str:
    """A subject without line breaks: one would end the header."""
    return " ".join(subject.split())


def message_id(delivery_id: UUID, sender: str) -> str:
    """The same at every attempt, so that mail programs can fold a second copy into the first."""
    return f"<{delivery_id}@{domain_of(sender)}>"


def domain_of(address: str) -> str:
    """What stands behind the last @."""
    return address.rpartition("@")[2]


def ascii_domain(address: str) -> str:
    """The address with a domain that mail servers know; as it is where there is none, which they will say."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}{at}{idna.encode(domain, uts46=True).decode()}"
    except UnicodeError:
        return address


def without_addresses(said: str) -> str:
    """What a mail server said, fit for a log: without email addresses and control characters, and not too long."""
    return _printable(_ADDRESS.sub("(address)", said[: _DETAIL_LIMIT * 4]))


def place_of(url: str) -> str:
    """Where a link led, fit for a log: without a password, and without the query, which may say whose it was."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host, path = parts.netloc.rpartition("@")[2], _IN_PATH.sub("(address)", parts.path)
    return _printable(f"{parts.scheme}://{host}{path}") if host else ""


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_DETAIL_LIMIT]
