"""What identifies a person or opens a door, made unrecognisable: in logs, in the audit log, on pages of support.

Free of Django: the settings read it.
"""

import re
from typing import Final

_EMAIL: Final = re.compile(r"([A-Za-z0-9._%+-])[A-Za-z0-9._%+-]*@([A-Za-z0-9.-]+\.[A-Za-z]{2,})")
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


def masked(text: str) -> str:
    """`text` with email addresses, phone numbers, long tokens and keys in addresses made unrecognisable."""
    text = _IN_ADDRESS.sub(r"\1=***", text)
    text = _BEGINS_AS_KEY.sub(r"\1***", text)
    text = _EMAIL.sub(r"\1***@\2", text)
    text = _PHONE.sub(r"\1***\2", text)
    return _TOKEN.sub(r"\1***", text)
