"""How a network writes and cuts a text message: 3GPP TS 23.038 (alphabets) and TS 23.040 (parts)."""

from typing import Final

_GSM7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: These take two places each: GSM 03.38, basic character set extension.
_GSM7_EXTENDED: Final = frozenset("^{}\\[~]|€\f")


def is_gsm7(body: str) -> bool:
    """Whether the 7-bit alphabet has every letter of it."""
    return all(letter in _GSM7 or letter in _GSM7_EXTENDED for letter in body)


def as_gsm7(body: str) -> str:
    """What a phone shows of a body that is sent in the 7-bit alphabet whatever is in it."""
    return "".join(letter if letter in _GSM7 or letter in _GSM7_EXTENDED else "?" for letter in body)


def gsm7_parts(body: str) -> int:
    """Parts of a body in the 7-bit alphabet: 160 places alone, 153 in company."""
    return _parts(sum(2 if letter in _GSM7_EXTENDED else 1 for letter in body), 160, 153)


def ucs2_parts(body: str) -> int:
    """Parts of a body in UCS-2: 70 places alone, 67 in company."""
    return _parts(len(body.encode("utf-16-be")) // 2, 70, 67)


def _parts(length: int, alone: int, together: int) -> int:
    return 1 if length <= alone else -(-length // together)
