"""Request bodies: strict JSON, a size limit, and nothing that PostgreSQL cannot store.

A view that takes many entries at once names the field that has them, `entries_in`. What cannot be stored is then told
of its entry alone, and the others are read.
"""

import json
from collections.abc import Mapping
from math import isinf
from typing import IO, Any, Final, NoReturn

import msgspec
from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser

from notifications.api.entries import Unreadable

#: Where in a request's META the body is kept as it came.
RAW_BODY: Final = "bongsu.raw_body"
#: Deeper nesting than anybody's template data, and far from Python's recursion limit.
_DEEPEST: Final = 32
#: Digits of the longest number that Python reads, and the database keeps.
_LONGEST_NUMBER: Final = 4300


class BodyTooLarge(APIException):
    """The body is larger than the platform reads."""

    status_code = 413
    default_code = "body_too_large"

    def __init__(self) -> None:
        super().__init__(f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes.")


class StrictJSONParser(BaseParser):
    """UTF-8 JSON as RFC 8259 has it: no NaN, no trailing commas, no NUL in any text.

    Of several fields of one name in an object the last counts.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body. Raises 400 for what is not JSON, 413 for too much of it, 422 for what cannot be stored."""
        context = parser_context or {}
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        decoded = _looked_through(_decoded(body), getattr(context.get("view"), "entries_in", ""))
        if context:
            # What an idempotency key stands for is the request as it came, byte by byte.
            context["request"].META[RAW_BODY] = body
        return decoded


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return _decoded_slowly(body, f"The body is not valid JSON: {error}")
    except (RecursionError, UnicodeDecodeError):
        raise ParseError("The body is not valid JSON: nested too deeply, or not UTF-8.") from None


def _decoded_slowly(body: bytes, says: str) -> Any:
    """What is JSON by its grammar and says something that msgspec does not read, so that it can be told where.

    That is half of a surrogate pair, or a number out of range, which becomes an infinite one here.
    """
    try:
        return json.loads(body.decode(), parse_int=_number, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ParseError(says) from None


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < _LONGEST_NUMBER else float("inf")


def _no_number(name: str) -> NoReturn:
    """NaN, Infinity and -Infinity, which Python reads by itself."""
    raise ValueError(name)


def _looked_through(decoded: Any, entries_in: str) -> Any:
    """The body, where all of it can be stored; an entry of a batch that cannot is one that says so."""
    if not isinstance(decoded, dict) or not isinstance(entries := decoded.get(entries_in), list):
        _look_through(decoded, "", 0)
        return decoded
    _look_through({**decoded, entries_in: None}, "", 0)
    return {**decoded, entries_in: [_entry(one) for one in entries]}


def _entry(entry: Any) -> Any:
    try:
        _look_through(entry, "", 0)
    except ValidationError as error:
        return Unreadable(error.detail)
    return entry


def _look_through(value: Any, path: str, depth: int) -> None:
    if depth > _DEEPEST:
        outermost = path.partition(".")[0].partition("[")[0]
        raise ValidationError({outermost or "body": f"Nested more than {_DEEPEST} levels deep."})
    match value:
        case str():
            _check_text(value, path)
        case dict():
            for name, inner in value.items():
                _check_text(name, path)
                _look_through(inner, f"{path}.{name}" if path else name, depth + 1)
        case list():
            for position, inner in enumerate(value):
                _look_through(inner, f"{path}[{position}]", depth + 1)
        case float() if isinf(value):
            raise ValidationError({path or "body": "Is a number that is too large to be kept."})
        case _:
            pass


def _check_text(text: str, path: str) -> None:
    if "\0" in text:
        raise ValidationError({path or "body": "Contains a NUL character (\\u0000); remove it."})
    if not text.isascii() and not _is_whole(text):
        raise ValidationError({path or "body": "Contains half of a surrogate pair (\\ud800 to \\udfff); remove it."})


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
