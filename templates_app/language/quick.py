"""Texts of words, variables and filters alone are put together without python-liquid, many times faster. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from liquid import BoundTemplate, RenderContext, escape
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.arguments import PositionalArgument
from liquid.builtin.expressions.primitive import FloatLiteral, IntegerLiteral, StringLiteral
from liquid.builtin.output import OutputNode
from liquid.exceptions import LiquidError

#: A name after the other, and what is done to the value there.
Piece = str | tuple[tuple[str, ...], tuple[Callable[[Any], Any], ...]]
#: What filters raise for data of another kind; python-liquid then says what is wrong.
_TROUBLE: Final = (LiquidError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def pieces(template: BoundTemplate) -> tuple[Piece, ...] | None:
    """A simple template as words and paths; None for any other."""
    try:
        return tuple(_pieces(template))
    except _NotSimple:
        return None


def assembled(given: tuple[Piece, ...], data: Mapping[str, Any], *, is_html: bool) -> str | None:
    """The text; None where python-liquid has to look: anything but plain values."""
    words: list[str] = []
    for piece in given:
        if isinstance(piece, str):
            words.append(piece)
            continue
        names, filters = piece
        value: Any = data
        for name in names:
            if not isinstance(value, Mapping) or name not in value:
                return None
            value = value[name]
        if filters:
            if isinstance(value, bool) or not isinstance(value, (str, int, float)):
                return None
            try:
                for one in filters:
                    value = one(value)
            except _TROUBLE:
                return None
        if not isinstance(value, str):
            if not isinstance(value, int) or isinstance(value, bool):
                return None
            value = str(value)
        words.append(str(escape(value)) if is_html else value)
    return "".join(words)


class _NotSimple(Exception):
    pass


def _pieces(template: BoundTemplate) -> Iterator[Piece]:
    context = RenderContext(template)
    for node in template.nodes:
        match node:
            case ContentNode():
                yield node.text
            case OutputNode(expression=FilteredExpression(left=Path(path=path)) as expression) if all(
                isinstance(segment, str) for segment in path
            ):
                filters = tuple(_bound(one, context) for one in expression.filters or ())
                yield tuple(str(segment) for segment in path), filters
            case _:
                raise _NotSimple


def _bound(one: Any, context: RenderContext) -> Callable[[Any], Any]:
    """A filter with arguments that are written out."""
    arguments = []
    for argument in one.args:
        if not isinstance(argument, PositionalArgument) or not isinstance(
            argument.value, (StringLiteral, IntegerLiteral, FloatLiteral)
        ):
            raise _NotSimple
        arguments.append(argument.value.evaluate(context))
    if one.name == "default":
        raise _NotSimple
    function = context.filter(one.name, token=None)
    fixed = tuple(arguments)
    return lambda value: function(value, *fixed)
