"""The GSM 7-bit alphabet, in which a text message has room for 160 characters (3GPP TS 23.038, section 6.2.1)."""

from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Written as an escape and another character: two places each.
EXTENDED: Final = frozenset("\f^{}\\[~]|€")
_ALPHABET: Final = _BASIC | EXTENDED


def is_gsm(text: str) -> bool:
    """Whether every character is of the GSM 7-bit alphabet."""
    return _ALPHABET.issuperset(text)
