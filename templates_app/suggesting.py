"""A JSON Schema made from how the texts use their variables, and from what the sample data holds. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from liquid import BoundTemplate, Expression, Node, RenderContext
from liquid.builtin.expressions import FilteredExpression, LoopExpression, Path
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.tablerow_tag import TablerowNode

#: Filters that take nothing but numbers, or moments.
_OF_NUMBERS: Final = frozenset(
    {"money", "number", "percent", "plus", "minus", "times", "divided_by", "modulo", "ceil", "floor", "round", "abs"}
)
_OF_MOMENTS: Final = frozenset({"date"})
_OF_LISTS: Final = frozenset({"join", "map", "where", "sort", "sort_natural", "uniq", "concat", "reverse", "sum"})
_PROPERTIES: Final = frozenset({"size", "first", "last"})
#: What a text does not ask its caller for.
_GIVEN: Final = frozenset({"recipient", "now", "today", "forloop", "tablerowloop", "block"})
_DEEPEST: Final = 8


@dataclass(slots=True)
class Use:
    """How one value is used, and what is used below it."""

    below: dict[str, "Use"] = field(default_factory=dict)
    each: "Use | None" = None
    filters: set[str] = field(default_factory=set)

    def item(self) -> "Use":
        """What is used of each item."""
        self.each = self.each or Use()
        return self.each


def suggested(
    templates: Iterable[BoundTemplate], required: Collection[str], sample: Mapping[str, Any], given: Collection[str]
) -> dict[str, Any]:
    """A schema for the data of these texts. `required` are dotted paths; `given` are names that nobody has to give."""
    root = Use()
    for template in templates:
        _Reader(RenderContext(template)).read(template.nodes, {"": root})
    for name in (*_GIVEN, *given):
        root.below.pop(name, None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema(root, required, sample, "")}


class _Reader:
    """Walks through a text; `named` holds what the names of loops stand for, and the data itself as ""."""

    def __init__(self, context: RenderContext) -> None:
        self._context = context

    def read(self, nodes: Iterable[Node], named: dict[str, Use | None], depth: int = 0) -> None:
        if depth > 100:
            return
        for node in nodes:
            inside = named
            for expression in node.expressions():
                used = self._used(expression, named)
                if isinstance(node, (ForNode, TablerowNode)):
                    own = {str(name): None for name in node.block_scope()}
                    loop = node.expression
                    inside = {**named, **own, str(loop.identifier): used.item() if used else None}
            self.read(node.children(self._context), inside, depth + 1)
            named.update({str(name): None for name in node.template_scope()})

    def _used(self, expression: Expression, named: Mapping[str, Use | None]) -> Use | None:
        """What an expression is about, noted as used."""
        match expression:
            case LoopExpression():
                for part in expression.children()[1:]:
                    self._used(part, named)
                return self._used(expression.iterable, named)
            case FilteredExpression():
                used = self._used(expression.left, named)
                for one in expression.filters or ():
                    if used is not None:
                        used.filters.add(one.name)
                    for argument in one.children():
                        self._used(argument, named)
                return used if not expression.filters else None
            case Path():
                return self._path(expression, named)
            case _:
                for part in expression.children():
                    self._used(part, named)
                return None

    def _path(self, path: Path, named: Mapping[str, Use | None]) -> Use | None:
        at: Use | None = None
        for place, segment in enumerate(path.path):
            if isinstance(segment, Path):
                self._path(segment, named)
                return None
            if place == 0:
                name = str(segment)
                at = named[name] if name in named else _root(named).below.setdefault(name, Use())
            elif at is None:
                return None
            elif isinstance(segment, int):
                at = at.item()
            elif segment in _PROPERTIES:
                return at if segment == "size" else at.item()
            else:
                at = at.below.setdefault(str(segment), Use())
        return at


def _root(named: Mapping[str, Use | None]) -> Use:
    root = named[""]
    assert root is not None
    return root


def _schema(use: Use, required: Collection[str], sample: Any, path: str) -> dict[str, Any]:
    """The schema of one value, which `path` leads to; inside of a list nothing is required but what is a list's."""
    if use.below and path.count(".") < _DEEPEST:
        held = sample if isinstance(sample, Mapping) else {}
        inner = {name: f"{path}.{name}" if path else name for name in sorted(use.below)}
        made: dict[str, Any] = {
            "type": "object",
            "properties": {n: _schema(use.below[n], required, held.get(n), where) for n, where in inner.items()},
        }
        if needed := [n for n, where in inner.items() if any(f"{one}.".startswith(f"{where}.") for one in required)]:
            made["required"] = needed
        return made
    if use.each is not None or use.filters & _OF_LISTS or isinstance(sample, list):
        first = sample[0] if isinstance(sample, list) and sample else None
        return {"type": "array", "items": _schema(use.each or Use(), (), first, f"{path}[]")}
    return _plain(use, sample, is_root=not path)


def _plain(use: Use, sample: Any, *, is_root: bool) -> dict[str, Any]:
    if is_root or isinstance(sample, Mapping):
        return {"type": "object"}
    if isinstance(sample, bool):
        return {"type": "boolean"}
    if isinstance(sample, (int, float)):
        return {"type": "number"}
    if use.filters & _OF_NUMBERS and not isinstance(sample, str):
        return {"type": "number"}
    if isinstance(sample, str):
        return {"type": "string", **_format(sample)}
    return {"type": "string"} if use.filters & _OF_MOMENTS else {"type": ["string", "number", "boolean", "null"]}


def _format(sample: str) -> dict[str, str]:
    if sample.startswith(("https://", "http://")):
        return {"format": "uri"}
    if "T" in sample and len(sample) >= len("2026-11-25T10:00Z"):
        try:
            if datetime.fromisoformat(sample).tzinfo is not None:
                return {"format": "date-time"}
        except ValueError:
            pass
    return {}
