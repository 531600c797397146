"""What identifies a person or opens a door, made unrecognisable: in logs, in the audit log, on pages of support.

Free of Django: the settings read it.
"""

import re
from typing import Final

#: A run of what stands before an @, and the rest of an address where it is one. The run is taken as a whole and never
#: looked at again, so that the work grows with the text: many pages can be made to hold a long run without any @.
_EMAIL: Final = re.compile(r"([A-Za-z0-9._%+-]++)(@[A-Za-z0-9.-]+\.[A-Za-z]{2,})?")
_PHONE: Final = re.compile(r"(?<![\w-])(\+[1-9]\d{1,3})\d{3,9}(\d{2})(?![\w-])")
#: A run this long and this random is a token, a key or a signature; a UUID is shorter and has dashes.
_TOKEN: Final = re.compile(
    r"(?<![\w-])([A-Za-z0-9_:-]{4})(?![0-9a-f]{4}-?[0-9a-f-]{23,28}(?![\w-]))[A-Za-z0-9_:+/=-]{44,}"
)
#: What begins like a signed token (RFC 7519), a key of SendGrid or Mandrill, or an appSecret is one, though it is
#: shorter or has dots.
_BEGINS_AS_KEY: Final = re.compile(r"\b(eyJ|SG\.|md-|bs_)[\w.-]{16,}")
#: A key that stands in an address, as Pushy wants it.
_IN_ADDRESS: Final = re.compile(r"\b((?:api_?)?key|secret|token)=[^&\s\"']+", re.IGNORECASE)
#: Names of what is a secret whatever it looks like.
SECRET_NAMES: Final = re.compile(r"secret|password|authorization|credential|token|api_key", re.IGNORECASE)
#: Where no address and no number goes on.
_EDGE: Final = re.compile(r"[^\w.%+@-]")
#: Characters. RFC 5321, 4.5.3.1: 64 before the @, 255 after it.
_LONGEST_ADDRESS: Final = 320


def masked(text: str) -> str:
    """`text` with email addresses, phone numbers, long tokens and keys in addresses made unrecognisable."""
    text = _IN_ADDRESS.sub(r"\1=***", text)
    text = _BEGINS_AS_KEY.sub(r"\1***", text)
    if "@" in text:
        text = _EMAIL.sub(_email_masked, text)
    text = _PHONE.sub(r"\1***\2", text)
    return _TOKEN.sub(r"\1***", text)


def masked_beginning(text: str, most: int) -> str:
    """What `masked(text)` begins with, at most `most` characters, without looking at the rest of a long text.

    It is cut behind the word that the end falls into: no mask knows half an address for what it is.
    """
    if len(text) <= most:
        return masked(text)
    last = most + _LONGEST_ADDRESS
    edge = _EDGE.search(text, most, last)
    return masked(text[: edge.start() if edge else last])[:most]


def _email_masked(found: re.Match[str]) -> str:
    return f"{found[1][0]}***{found[2]}" if found[2] else found[1]
