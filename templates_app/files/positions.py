"""Where in a file something stands: line and column from 1. Pure."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from templates_app.mistakes import line_and_column

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL
)


class NotJson(ValueError):
    """The text is not JSON as we take it; `index` says where."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


def index_of(text: str, line: int, column: int) -> int:
    """The place of a line and column in a text."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start + column - 1


def parsed(source: str) -> Any:
    """JSON, where no name stands twice and every number is one. Raises `NotJson`."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for name, value in pairs:
            if name in seen:
                raise NotJson(
                    f"{name!r} stands here twice.", max(0, source.rfind(json.dumps(name, ensure_ascii=False)))
                )
            seen[name] = value
        return seen

    def exact(text: str) -> float:
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise NotJson(f"{text[:20]} is too large.", source.find(text))
        return number

    def never(text: str) -> Any:
        raise NotJson(f"{text} is no number of JSON.", source.find(text))

    try:
        return json.loads(source, object_pairs_hook=once, parse_float=exact, parse_constant=never)
    except json.JSONDecodeError as error:
        raise NotJson(f"not JSON: {error.msg}.", error.pos) from None
    except RecursionError:
        raise NotJson("nested too deeply.", 0) from None
    except NotJson:
        raise
    except ValueError as error:  # a whole number of more digits than Python reads
        raise NotJson(f"{error}.", 0) from None


def inside(source: str, way: Sequence[str | int], line: int = 0, column: int = 0) -> tuple[int, int]:
    """Where the value at the end of `way` stands in JSON that was parsed; with line and column, a place in that text.

    Where it is not there, what would hold it.
    """
    index = _skip(source, 0)
    for step in way:
        found = _child(source, index, step)
        if found is None:
            return line_and_column(source, index)
        index = found
    if not line or source[index] != '"':
        return line_and_column(source, index)
    text, _end = _DECODER.raw_decode(source, index)
    wanted, index = index_of(text, line, column), index + 1
    while wanted > 0:
        one = _ESCAPE.match(source, index)
        assert one is not None
        index, wanted = one.end(), wanted - 1
    return line_and_column(source, index)


def _skip(source: str, index: int) -> int:
    space = _SPACE.match(source, index)
    return space.end() if space else index


def _child(source: str, index: int, step: str | int) -> int | None:
    """Where the value of a name, or the item of a number, begins."""
    is_object = isinstance(step, str)
    if source[index] != ("{" if is_object else "["):
        return None
    index, number = _skip(source, index + 1), 0
    while source[index] not in "}]":
        name: str | int = number
        if is_object:
            name, index = _DECODER.raw_decode(source, index)
            index = _skip(source, _skip(source, index) + 1)
        if name == step:
            return index
        _value, index = _DECODER.raw_decode(source, index)
        index = _skip(source, index)
        if source[index] == ",":
            index = _skip(source, index + 1)
        number += 1
    return None
