"""Request bodies: strict JSON, a size limit, and no NUL, which PostgreSQL cannot store."""

from collections.abc import Mapping
from typing import IO, Any, Final

import msgspec
from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser

#: Where in a request's META the body is kept as it came.
RAW_BODY: Final = "bongsu.raw_body"
#: Deeper nesting than anybody's template data, and far from Python's recursion limit.
_DEEPEST: Final = 32


class BodyTooLarge(APIException):
    """The body is larger than the platform reads."""

    status_code = 413
    default_code = "body_too_large"

    def __init__(self) -> None:
        super().__init__(f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes.")


class StrictJSONParser(BaseParser):
    """UTF-8 JSON as RFC 8259 has it: no NaN, no trailing commas, no NUL in any text."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body. Raises 400 for what is not JSON, 413 for too much of it, 422 for a NUL."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        try:
            decoded = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from None
        except (RecursionError, UnicodeDecodeError):
            raise ParseError("The body is not valid JSON: nested too deeply, or not UTF-8.") from None
        _look_through(decoded, "", 0)
        if parser_context:
            # What an idempotency key stands for is the request as it came, byte by byte.
            parser_context["request"].META[RAW_BODY] = body
        return decoded


def _look_through(value: Any, path: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValidationError({path.partition(".")[0] or "body": f"Nested more than {_DEEPEST} levels deep."})
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
        case _:
            pass


def _check_text(text: str, path: str) -> None:
    if "\0" in text:
        raise ValidationError({path or "body": "Contains a NUL character (\\u0000); remove it."})
