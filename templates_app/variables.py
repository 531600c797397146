"""What data a Liquid text asks for, found by reading its syntax tree. Pure.

A path is required when every rendering reaches it and nothing stands in for it. It is optional when a `default` filter
follows, when an `if` only asks whether it is there, or when it stands inside a branch or a loop that may not be taken.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from liquid import BoundTemplate, ConditionalBlockNode, Expression, Node, RenderContext
from liquid.builtin.expressions import FilteredExpression, LoopExpression, Path
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import LiquidSyntaxError

#: Links to what a person may choose. They are made when a message is sent, for everybody their own, and no caller gives
#: them; where somebody does, ours stand.
LINKS: Final = frozenset({"unsubscribe_url", "preferences_url", "optout_url"})
#: What stands for them where a text is only tried: as long as the real ones will be, within a few characters.
LINK_STAND_INS: Final = {
    "unsubscribe_url": "https://notify.example.com/u/" + "x" * 90,
    "preferences_url": "https://notify.example.com/p/" + "x" * 68,
    "optout_url": "https://notify.example.com/o/" + "x" * 12,
}

_BRANCHES: Final = (IfNode, UnlessNode, CaseNode, ConditionalBlockNode, MultiExpressionBlockNode)
_LOOPS: Final = (ForNode, TablerowNode)
#: Words that Liquid answers for any list or text (shopify.github.io/liquid, "Basics").
_PROPERTIES: Final = frozenset({"size", "first", "last"})
#: Names that python-liquid answers with the present moment.
_CLOCKS: Final = frozenset({"now", "today"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Dotted paths into the data: those without which nothing can be said, and all that are mentioned."""

    required: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()

    def __or__(self, other: "Asked") -> "Asked":
        return Asked(self.required | other.required, self.mentioned | other.mentioned)


def asked_by(template: BoundTemplate) -> Asked:
    """What `template` asks for.

    Raises a `LiquidError` for a filter that does not exist, for a range outside a `for` (which could fill the memory),
    and for the present moment (which would make the second attempt say something else than the first).
    """
    reader = _Reader(RenderContext(template))
    reader.read(template.nodes, set(), sure=True)
    return Asked(frozenset(reader.required), frozenset(reader.mentioned))


class _Reader:
    """Walks a tree in the order of rendering; `own` holds the names that the text gives to values itself."""

    def __init__(self, context: RenderContext) -> None:
        self._context = context
        self.required: set[str] = set()
        self.mentioned: set[str] = set()

    def read(self, nodes: Collection[Node], own: set[str], *, sure: bool) -> None:
        for node in nodes:
            self._node(node, own, sure=sure)

    def _node(self, node: Node, own: set[str], *, sure: bool) -> None:
        is_branch, is_loop = isinstance(node, _BRANCHES), isinstance(node, _LOOPS)
        for expression in node.expressions():
            # in a condition, what is not there is false, and equal to nothing
            self._value(expression, own, sure=sure and not is_branch)
        inside = own | {str(name) for name in node.block_scope()} if is_loop else own
        self.read(list(node.children(self._context)), inside, sure=sure and not is_branch and not is_loop)
        own.update(str(name) for name in node.template_scope())

    def _value(self, expression: Expression, own: set[str], *, sure: bool) -> None:
        match expression:
            case FilteredExpression():
                filters = expression.filters or []
                has_default = bool(filters) and filters[0].name == "default"
                self._value(expression.left, own, sure=sure and not has_default)
                for one in filters:
                    one.validate_filter_arguments(self._context.env)
                    for argument in one.children():
                        self._value(argument, own, sure=sure)
            case LoopExpression(iterable=RangeLiteral() as bounds):
                for part in [*bounds.children(), *expression.children()[1:]]:
                    self._value(part, own, sure=sure)
            case RangeLiteral():
                raise LiquidSyntaxError("a range can only be walked through by a for", token=expression.token)
            case Path():
                self._path(expression, own, sure=sure)
            case _:
                for part in expression.children():
                    self._value(part, own, sure=sure)

    def _path(self, path: Path, own: set[str], *, sure: bool) -> None:
        for inner in path.children():
            self._value(inner, own, sure=sure)
        names = list(_names(path))
        if not names or names[0] in own:
            return
        if names[0] in _CLOCKS:
            raise LiquidSyntaxError(
                f"{names[0]} would be another moment on every attempt; give the moment in data, by another name",
                token=path.token,
            )
        self.mentioned.add(".".join(names))
        if sure:
            self.required.add(".".join(names))


def _names(path: Path) -> Iterator[str]:
    """The leading names of a path, as far as they can be looked up in an object."""
    for position, segment in enumerate(path.path):
        if not isinstance(segment, str) or (position and segment in _PROPERTIES):
            return
        yield segment
