"""What is wrong with which field, in the form that every problem document uses."""

from collections.abc import Iterator, Mapping
from typing import Any


def field_errors(detail: Any) -> list[dict[str, str]]:
    """DRF's nested error details as a flat list: the field's dotted path, and a sentence."""
    return list(_walk(detail, ""))


def _walk(detail: Any, path: str) -> Iterator[dict[str, str]]:
    match detail:
        case Mapping():
            for name, inner in detail.items():
                yield from _walk(inner, _inside(path, name))
        case list() | tuple():
            sentences = [str(inner) for inner in detail if isinstance(inner, str) and inner]
            places = [(position, inner) for position, inner in enumerate(detail) if not isinstance(inner, str)]
            if sentences:
                yield {"field": path or "body", "message": " ".join(sentences)}
            for position, inner in places:
                if inner:
                    yield from _walk(inner, f"{path}[{position}]")
        case _:
            yield {"field": path or "body", "message": str(detail)}


def _inside(path: str, name: object) -> str:
    """The path of something inside; DRF numbers the bad entries of a list."""
    if isinstance(name, int):
        return f"{path}[{name}]"
    if name == "non_field_errors":
        return path
    return f"{path}.{name}" if path else str(name)
