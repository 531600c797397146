"""Into how many parts a carrier cuts a text message: it counts and charges these, not messages.

A text in the GSM 7-bit alphabet has room for 160 characters, or 153 in each of several parts; any other is sent as
UCS-2, with 70, or 67 in each part (3GPP TS 23.038, sections 4 and 6.2; TS 23.040, section 9.2.3.24.1). A character
that takes two places stands in one part as a whole.
"""

from collections.abc import Iterable

from notifications.providers.gsm import EXTENDED, is_gsm

_GSM_ALONE, _GSM_PART = 160, 153
_UCS2_ALONE, _UCS2_PART = 70, 67


def segments(text: str) -> int:
    """The parts in which `text` is sent; an empty one is sent, too."""
    if is_gsm(text):
        return _parts((2 if char in EXTENDED else 1 for char in text), _GSM_ALONE, _GSM_PART)
    return _parts((2 if char > "\uffff" else 1 for char in text), _UCS2_ALONE, _UCS2_PART)


def _parts(widths: Iterable[int], alone: int, part: int) -> int:
    total = used = 0
    parts = 1
    for width in widths:
        total += width
        used += width
        if used > part:
            parts += 1
            used = width
    return 1 if total <= alone else parts
