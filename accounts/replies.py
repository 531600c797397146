"""What people answer by text message: keywords that say stop or start, and nothing else. Free of Django."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from accounts import keywords


class Wish(StrEnum):
    """What a keyword asks for."""

    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True)
class Reply:
    """A keyword that somebody sent to one of our senders. `phone` is E.164, `ref` the provider's id of the message.

    The text itself goes no further than this: whoever writes more than a keyword is not quoted anywhere.
    """

    phone: str = field(repr=False)
    wish: Wish
    keyword: str
    at: datetime
    ref: str


#: Longer texts are no keywords, and not worth normalising.
_LONGEST: Final = 60


def wish_in(text: str, *numbers: str) -> tuple[Wish, str] | None:
    """The wish that a text is, and its keyword; None unless the whole of it is one.

    `numbers`: the person's and the sender's, in E.164. Which sender writes to somebody depends on their country, so the
    words are those of its languages, besides those that are understood everywhere.
    Case, spaces, signs and accents do not matter: "Stop.", "Arrêt" and "수신 거부!" are keywords.
    "stop at five" is none.
    """
    if len(text) > _LONGEST:
        return None
    word = keywords.folded(text)
    spoken = keywords.spoken_at(numbers)
    if any(word in keywords.STOP[language] for language in spoken):
        return Wish.STOP, word
    if any(word in keywords.START[language] for language in spoken):
        return Wish.START, word
    return None


def e164(number: str) -> str | None:
    """A number as providers write it, with or without a plus, in E.164; None for short codes, names and the like."""
    digits = number.strip().removeprefix("+")
    is_number = digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15 and digits[0] != "0"
    return f"+{digits}" if is_number else None
