"""What PostgreSQL can keep as JSON: text without NUL or halves of characters, and numbers that are numbers."""

import json
import re
from typing import Any, Final

#: As JSON writes a NUL; after an even number of backslashes, for those are a text's own.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class NotStorable(ValueError):
    """The value cannot be kept; the message says what is in it."""


def check(value: Any) -> None:
    """Whether `value`, as a JSON parser gave it, can be kept. Raises `NotStorable`."""
    try:
        written = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise NotStorable("Contains half of a surrogate pair (\\ud800 to \\udfff); remove it.") from None
    except ValueError:
        raise NotStorable("Contains NaN or Infinity; write a number.") from None
    if _NUL.search(written):
        raise NotStorable("Contains a NUL character (\\u0000); remove it.")


def size(value: Any) -> int:
    """How long `value`, which can be kept, is as JSON, in bytes of UTF-8."""
    return len(json.dumps(value, ensure_ascii=False).encode())
