"""What data a template takes, as JSON Schema (draft 2020-12), compiled once. Pure.

A schema is written by people who need not be trusted with more than words: it reaches no other document, is of bounded
size and depth, and its patterns run in linear time (Rust's regex, without looking around or back).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, ReferencingError, RegexOptions, ValidationError

#: The empty schema: data is checked by what the texts ask for alone.
NO_SCHEMA: Final[Mapping[str, Any]] = {}
#: Characters of JSON, levels, and parts of a schema with its references followed.
_LONGEST: Final = 65_536
_DEEPEST: Final = 24
_MOST_PARTS: Final = 2_000
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
#: Words that lead to other documents, or to places that cannot be counted.
_ELSEWHERE: Final = frozenset({"$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$id", "$anchor", "$vocabulary"})
#: Below these, names are the author's.
_NAMES: Final = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas", "dependentRequired"})
#: Below these stand values, not schemas.
_VALUES: Final = frozenset({"const", "enum", "default", "examples"})
#: Bytes of a compiled pattern.
_PATTERNS: Final = RegexOptions(size_limit=200_000, dfa_size_limit=200_000)
#: Problems that are told of one document.
_MOST_PROBLEMS: Final = 20


class SchemaError(Exception):
    """The schema cannot be used; `pointer` is where, `message` is for its author."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(f"{pointer or 'schema'}: {message}")
        self.message = message
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with data: `path` as in `items[0].price`, empty where it is all of it."""

    path: str
    message: str


class Schema:
    """A compiled schema. Made by `compile_schema`."""

    __slots__ = ("_validator",)

    def __init__(self, validator: Draft202012Validator) -> None:
        self._validator = validator

    def problems(self, data: Mapping[str, Any]) -> tuple[Problem, ...]:
        """What is wrong with `data`, in the order of the schema; nothing where it fits. No value of it is told."""
        if self._validator.is_valid(data):
            return ()
        found: dict[Problem, None] = {}
        for error in self._validator.iter_errors(data):
            found |= dict.fromkeys(_told(error))
            if len(found) >= _MOST_PROBLEMS:
                break
        return tuple(found)


def compile_schema(raw: object) -> Schema | None:
    """A stored schema; None for the empty one. Raises `SchemaError`."""
    if raw == NO_SCHEMA:
        return None
    if not isinstance(raw, dict):
        raise SchemaError(
            'write an object, for example {"type": "object", "properties": {"name": {"type": "string"}}}.'
        )
    if len(json.dumps(raw, ensure_ascii=False)) > _LONGEST:
        raise SchemaError(f"is longer than {_LONGEST} characters.")
    if raw.get("$schema", _DIALECT) != _DIALECT:
        raise SchemaError(f"is of another draft; write {_DIALECT}, or nothing.", "/$schema")
    _Measure(raw).take()
    try:
        return Schema(
            Draft202012Validator(raw, validate_formats=True, offline=True, mask="the value", pattern_options=_PATTERNS)
        )
    except ValidationError as error:
        where = "".join(f"/{part}" for part in error.instance_path)
        raise SchemaError(f"is no JSON Schema: {_short(error.message)}.", where) from None
    except (ReferencingError, ValueError) as error:
        raise SchemaError(f"is no JSON Schema: {_short(str(error))}.") from None


class _Measure:
    """Counts the parts of a schema as checking data walks through them: every reference as often as it is followed."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._parts = 0

    def take(self) -> None:
        """Raises `SchemaError`."""
        self._schema(self._root, "", 0, ())

    def _schema(self, schema: object, at: str, depth: int, within: tuple[str, ...]) -> None:
        self._parts += 1
        if depth > _DEEPEST:
            raise SchemaError(f"is nested more than {_DEEPEST} levels deep.", at)
        if self._parts > _MOST_PARTS:
            raise SchemaError(f"has more than {_MOST_PARTS} parts, references followed.", at)
        if isinstance(schema, list):
            for place, one in enumerate(schema):
                self._schema(one, f"{at}/{place}", depth + 1, within)
        if not isinstance(schema, Mapping):
            return
        if odd := sorted(_ELSEWHERE & schema.keys()):
            raise SchemaError("is not taken; refer to parts of this schema by $ref: #/$defs/name.", f"{at}/{odd[0]}")
        for word, value in schema.items():
            if word == "$ref":
                self._reference(value, f"{at}/$ref", depth, within)
            elif word in _NAMES and isinstance(value, Mapping):
                for name, one in value.items():
                    self._schema(one, f"{at}/{word}/{name}", depth + 1, within)
            elif word not in _VALUES:
                self._schema(value, f"{at}/{word}", depth + 1, within)

    def _reference(self, reference: object, at: str, depth: int, within: tuple[str, ...]) -> None:
        prefix = "#/$defs/"
        if not isinstance(reference, str) or not reference.startswith(prefix):
            raise SchemaError("refers elsewhere; only #/$defs/name is taken.", at)
        name = reference.removeprefix(prefix)
        known = self._root.get("$defs")
        if not isinstance(known, Mapping) or name not in known:
            raise SchemaError(f"there is no {name[:40]!r} in $defs.", at)
        if name in within:
            raise SchemaError("leads back to itself; data of a message has an end.", at)
        self._schema(known[name], at, depth + 1, (*within, name))


def _told(error: ValidationError) -> Iterator[Problem]:
    """An error as our callers read it: the missing or unknown field itself, not what it is missing from."""
    path = pointer(error.instance_path)
    kind = error.kind.as_dict()
    match error.kind.name:
        case "required":
            yield Problem(_below(path, str(kind["property"]).strip('"')), "is missing.")
        case "additionalProperties" | "unevaluatedProperties":
            for name in kind["unexpected"][:_MOST_PROBLEMS]:
                yield Problem(_below(path, str(name)), "is unknown to the template.")
        case _:
            yield Problem(path, f"{_short(error.message)}.")


def pointer(parts: list[str | int]) -> str:
    """["items", 0, "price"] as items[0].price."""
    path = ""
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else _below(path, part)
    return path


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _short(message: str) -> str:
    return (message if len(message) <= 200 else f"{message[:199]}…").rstrip(".")
