"""What data a Liquid text asks for, found by reading its syntax tree. Pure.

A path is required when every rendering reaches it and nothing stands in for it. It is optional when a `default` filter
follows, when an `if` only asks whether it is there, or when it stands inside a branch or a loop that may not be taken.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from liquid import BlockNode, BoundTemplate, ConditionalBlockNode, Expression, Node, RenderContext
from liquid.ast import PartialScope
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, LoopExpression, Path
from liquid.builtin.expressions.primitive import RangeLiteral, StringLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import LiquidSyntaxError, TemplateNotFoundError
from liquid.extra import BlockTag, ExtendsTag

from templates_app.gathered import ITEMS, is_given

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
#: Of these, a value on its own is written as it is, or asked whether it is there.
_WRITING: Final = (OutputNode, IfNode, UnlessNode, ConditionalBlockNode)
#: What stands inside of these is written as it stands.
_PASSING_ON: Final = (*_BRANCHES, *_LOOPS, BlockNode, BlockTag.node_class)
#: Partials that are walked through for one text, each time that one is used: more is a mistake, or malice.
_MOST_PARTIALS: Final = 200
#: Words that Liquid answers for any list or text (shopify.github.io/liquid, "Basics").
_PROPERTIES: Final = frozenset({"size", "first", "last"})
#: Names that python-liquid answers with the present moment.
_CLOCKS: Final = frozenset({"now", "today"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Dotted paths into the data: those without which nothing can be said, and all that are mentioned.

    `of_items`: paths into each of `items`, without which a text that walks through them cannot tell of one.
    `partials`: names of the partials that are used. `reworked`: paths whose values are not only written out as they
    are, or asked whether they are there, but filtered, compared or given another name.
    """

    required: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    of_items: frozenset[str] = frozenset()
    partials: frozenset[str] = frozenset()
    reworked: frozenset[str] = frozenset()

    @property
    def tells_of_one(self) -> bool:
        """Whether a digest in these words would tell of one message, and be silent about the others."""
        callers = {path for path in self.mentioned - LINKS if path.split(".")[0] != "recipient"}
        return bool(callers) and not any(is_given(path) for path in callers)

    def without(self, paths: frozenset[str]) -> "Asked":
        """The rest, where these are given by us."""
        return Asked(self.required - paths, self.mentioned - paths, self.of_items, self.partials, self.reworked - paths)

    def __or__(self, other: "Asked") -> "Asked":
        return Asked(
            self.required | other.required,
            self.mentioned | other.mentioned,
            self.of_items | other.of_items,
            self.partials | other.partials,
            self.reworked | other.reworked,
        )


def asked_by(template: BoundTemplate) -> Asked:
    """What `template` asks for.

    Raises a `LiquidError` for a filter that does not exist, for a range outside a `for` (which could fill the memory),
    and for the present moment (which would make the second attempt say something else than the first).
    """
    reader = _Reader(RenderContext(template))
    reader.read(template.nodes, set(), sure=True)
    return Asked(
        frozenset(reader.required),
        frozenset(reader.mentioned),
        frozenset(reader.of_items),
        frozenset(reader.partials),
        frozenset(reader.reworked),
    )


class _Reader:
    """Walks a tree in the order of rendering; `own` holds the names that the text gives to values itself."""

    def __init__(self, context: RenderContext) -> None:
        self._context = context
        self.required: set[str] = set()
        self.mentioned: set[str] = set()
        self.of_items: set[str] = set()
        self.reworked: set[str] = set()
        #: Whether what is written at this place stays as it is.
        self._stays = True
        #: Names that stand for one of `items`, where every one of them comes to this place.
        self._each: frozenset[str] = frozenset()
        #: Names of partials that are used, by the text or by each other.
        self.partials: set[str] = set()
        self._within: list[str] = []
        self._walked = 0
        #: What the text puts into the blocks of its layout.
        self._blocks: dict[str, Node] = {}

    def read(self, nodes: Collection[Node], own: set[str], *, sure: bool) -> None:
        layout = next((node for node in nodes if isinstance(node, ExtendsTag.node_class)), None)
        if layout is not None:
            self.fill(nodes)
            # what stands outside of the blocks is not shown
            nodes = [layout]
        for node in nodes:
            self._node(node, own, sure=sure)

    def _node(self, node: Node, own: set[str], *, sure: bool) -> None:
        if node.partial_scope() is not None:
            self._partial(node, own, sure=sure)
            return
        if isinstance(node, BlockTag.node_class):
            # what the text puts into this block stands for what the layout has there
            own = own | {"block"}
            node = self._blocks.get(str(node.name), node)
        is_branch, is_loop = isinstance(node, _BRANCHES), isinstance(node, _LOOPS)
        before = self._each, self._stays
        if is_branch:
            self._each = frozenset()
        for expression in node.expressions():
            # in a condition, what is not there is false, and equal to nothing
            self._value(expression, own, sure=sure and not is_branch)
            if not self._stays or not isinstance(node, _WRITING) or not _is_bare(expression):
                self._rework(expression)
        self._stays = self._stays and isinstance(node, _PASSING_ON)
        inside = own | {str(name) for name in node.block_scope()} if is_loop else own
        if is_loop:
            self._each = frozenset(_each_item(node)) if sure else frozenset()
        self.read(list(node.children(self._context)), inside, sure=sure and not is_branch and not is_loop)
        self._each, self._stays = before
        own.update(str(name) for name in node.template_scope())

    def _partial(self, node: Node, own: set[str], *, sure: bool) -> None:
        """Walk through what `render`, `include` or `extends` brings in, in the order of rendering."""
        for expression in node.expressions():
            self._value(expression, own, sure=sure)
            self._rework(expression)
        scope = node.partial_scope()
        name = _name_of(node)
        if scope is None or name is None:
            raise LiquidSyntaxError("write the name of the partial itself, in quotes", token=node.token)
        if name in self._within:
            raise LiquidSyntaxError(f"the partial {name!r} contains itself", token=node.token)
        self._walked += 1
        if self._walked > _MOST_PARTIALS:
            raise LiquidSyntaxError("the partials contain each other too often", token=node.token)
        try:
            partial = self._context.env.get_template(name)
        except TemplateNotFoundError:
            raise LiquidSyntaxError(f"there is no partial {name!r}", token=node.token) from None
        self.partials.add(name)
        self._within.append(name)
        given = {str(one) for one in scope.in_scope}
        is_loop = bool(getattr(node, "loop", False))
        inside = given | ({"forloop"} if is_loop else set()) if scope.scope is PartialScope.ISOLATED else own | given
        self.read(partial.nodes, inside, sure=sure and not is_loop)
        self._within.pop()

    def fill(self, nodes: Collection[Node]) -> None:
        """Remember the blocks of a text that has a layout; those of the text go before its layout's own."""
        for node in nodes:
            if isinstance(node, BlockTag.node_class):
                self._blocks.setdefault(str(node.name), node)
            if not isinstance(node, ExtendsTag.node_class):
                self.fill(list(node.children(self._context, include_partials=False)))

    def _value(self, expression: Expression, own: set[str], *, sure: bool) -> None:
        match expression:
            case FilteredExpression():
                filters = expression.filters or []
                has_default = bool(filters) and filters[0].name == "default"
                if not (has_default and _begins_with(expression.left, self._each)):
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

    def _rework(self, expression: Expression) -> None:
        """Something is done to all values in an expression. What is looked up by a name from the data may be any."""
        if isinstance(expression, Path):
            names = list(_names(expression))
            self.reworked |= {".".join(names)} if names else LINKS
        for part in expression.children():
            self._rework(part)

    def _path(self, path: Path, own: set[str], *, sure: bool) -> None:
        for inner in path.children():
            self._value(inner, own, sure=sure)
        names = list(_names(path))
        if names[1:] and names[0] in self._each:
            self.of_items.add(".".join(names[1:]))
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


def _each_item(node: Node) -> Iterator[str]:
    """The name that a loop gives to each of the items of a digest, where it walks through those."""
    if isinstance(node, ForNode):
        walked = node.expression.iterable
        if isinstance(walked, Path) and list(walked.path) == [ITEMS]:
            yield str(node.expression.identifier)


def _is_bare(expression: Expression) -> bool:
    """Whether an expression is one name and nothing more."""
    match expression:
        case FilteredExpression(left=Path(path=[str()]), filters=filters):
            return not filters
        case BooleanExpression(expression=Path(path=[str()])):
            return True
        case _:
            return False


def _begins_with(expression: Expression, names: Collection[str]) -> bool:
    return isinstance(expression, Path) and bool(expression.path) and expression.path[0] in names


def _name_of(node: Node) -> str | None:
    """The name of the partial that a node brings in, where it is written and not to be looked up."""
    name = getattr(node, "name", None)
    if isinstance(name, StringLiteral):
        return str(name.value)
    return str(name) if isinstance(node, ExtendsTag.node_class) else None


def _names(path: Path) -> Iterator[str]:
    """The leading names of a path, as far as they can be looked up in an object."""
    for position, segment in enumerate(path.path):
        if not isinstance(segment, str) or (position and segment in _PROPERTIES):
            return
        yield segment
