"""What people answer by text message: keywords that say stop or start, and nothing else. Free of Django."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final


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


#: The words that Twilio blocks a number for (help.twilio.com, "Twilio support for opt-out keywords"), among which are
#: all that US carriers must honour (47 CFR 64.1200(a)(10)), and what Korean senders print under their advertisements.
_STOP: Final = frozenset(
    {
        "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout",
        "수신거부", "무료수신거부", "수신거절", "수신중단", "수신중지", "거부", "거절", "중단", "중지", "정지", "해지",
        "그만", "스톱", "스탑",
    }
)  # fmt: skip
#: YES is left out, though Twilio takes it for START: it is also an answer to any other question.
_START: Final = frozenset(
    {
        "start", "unstop", "subscribe", "optin",
        "수신동의", "수신허용", "수신재개", "수신거부해제", "수신거부취소", "거부해제", "동의", "시작", "재개",
        "스타트",
    }
)  # fmt: skip

#: Longer texts are no keywords, and not worth normalising.
_LONGEST: Final = 60


def wish_in(text: str) -> tuple[Wish, str] | None:
    """The wish that a text is, and its keyword; None unless the whole of it is one.

    Case, spaces and signs do not matter: "Stop.", "STOP ALL" and "수신 거부!" are keywords; "stop by at five" is none.
    """
    if len(text) > _LONGEST:
        return None
    word = "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())
    if word in _STOP:
        return Wish.STOP, word
    return (Wish.START, word) if word in _START else None


def e164(number: str) -> str | None:
    """A number as providers write it, with or without a plus, in E.164; None for short codes, names and the like."""
    digits = number.strip().removeprefix("+")
    is_number = digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15 and digits[0] != "0"
    return f"+{digits}" if is_number else None
