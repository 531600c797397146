"""Mistakes in the words of those who write texts, with line and column. Pure."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from liquid import Environment
from liquid.exceptions import BlockNestingError, LiquidError
from liquid.token import Token

from templates_app.mistakes import line_and_column

#: Characters inside {{ }} and {% %} of one text: what parsing costs depends on these.
_MOST_MARKUP: Final = 20_000
_MOST_TAGS: Final = 2_000
#: Each is looked for again from the start of its tag.
_MOST_PARENTHESES: Final = 200
_ENDS: Final = {"{{": "}}", "{%": "%}"}
_RAW: Final = re.compile(r"\{%-?\s*raw\s*-?%\}")
_ENDRAW: Final = re.compile(r"\{%-?\s*endraw\s*-?%\}")
#: How python-liquid calls the parts of a text, and what a person would.
_PARTS: Final = {
    "eof": "the end",
    "EOF": "the end",
    "word": "a name",
    "pipe": "a |",
    "expression": "an expression",
    "colon": "a :",
    "comma": "a comma",
    "string": "a text",
    "integer": "a number",
    "float": "a number",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and where; line and column from 1, 0 where that cannot be told."""

    message: str
    line: int = 0
    column: int = 0


def too_much(source: str) -> Mistake | None:
    """What would take long to read, found by looking for braces alone."""
    last = {opening: source.rfind(closing) for opening, closing in _ENDS.items()}
    endraws = [match.start() for match in _ENDRAW.finditer(source)]
    raw = next((match for match in _RAW.finditer(source) if not endraws or match.start() > endraws[-1]), None)
    if raw is not None:
        return _at(source, raw.start(), "raw is not closed; write {% endraw %} where it ends")
    at = tags = markup = parentheses = 0
    while (at := source.find("{", at)) >= 0:
        opening = source[at : at + 2]
        if opening not in _ENDS:
            at += 1
            continue
        if last[opening] < at:
            return _at(source, at, f"{opening} is not closed; write {_ENDS[opening]} where it ends")
        end = source.find(_ENDS[opening], at) + 2
        tags, markup = tags + 1, markup + end - at
        parentheses += source.count("(", at, end)
        if tags > _MOST_TAGS or markup > _MOST_MARKUP or parentheses > _MOST_PARENTHESES:
            return _at(source, at, "there is more in braces up to here than a text may have; make it simpler")
        at = end
    return None


def position(token: Token | None) -> tuple[int, int]:
    """Line and column, from 1, of a part of a text; (0, 0) where it is not known."""
    if token is None or token.start_index < 0:
        return 0, 0
    return line_and_column(token.source, token.start_index)


def explained(error: LiquidError, source: str, environment: Environment, partials: Mapping[str, str]) -> Mistake:
    """What an error of python-liquid means for whoever wrote `source`, or one of the partials that it uses."""
    if unclosed := _unclosed(error, source, environment):
        return unclosed
    said = _said(error, environment, partials)
    line, column = position(error.token)
    name = whose(error.token, source, partials)
    return Mistake(
        f"in the partial {name!r}, line {line}: {said}" if name else said, *((0, 0) if name else (line, column))
    )


def whose(token: Token | None, source: str, partials: Mapping[str, str]) -> str:
    """The partial in which a part of a text stands; empty where it is the text itself."""
    if token is None or token.source == source:
        return ""
    return next((name for name, text in partials.items() if text == token.source), "")


def _unclosed(error: LiquidError, source: str, environment: Environment) -> Mistake | None:
    """An end that is missing is noticed at the end of a text; what is shown is where it begins."""
    at_the_end = error.token is None or error.token.start_index < 0
    if not at_the_end and not re.search(r"wa[sd] never closed", str(error.message)):
        return None
    if at_the_end and isinstance(error, BlockNestingError):
        return None
    spans = [
        (span.index, name)
        for name, unclosed in environment.analyze_tags_from_string(source).unclosed_tags.items()
        for span in unclosed
    ]
    if not spans:
        return None
    index, name = max(spans)
    return _at(source, index, f"{name} is not closed; write {{% end{name} %}} where it ends")


def _said(error: LiquidError, environment: Environment, partials: Mapping[str, str]) -> str:
    message = str(error.message).rstrip(".")
    if isinstance(error, BlockNestingError):
        return "nested too deeply"
    if found := re.match(r"unknown filter '(.*)'", message):
        return f"there is no filter {found[1]!r}{_near(found[1], environment.filters)}"
    if found := re.match(r"unexpected tag '(.*)'", message):
        return f"there is no tag {found[1]!r} here{_near(found[1], environment.tags)}"
    if found := re.match(r"there is no partial '(.*)'", message):
        return f"{message}{_near(found[1], partials)}"
    if message.startswith("expected '}}'"):
        return "{{ is not closed; write }} where it ends"
    if message == "missing tag name or closing delimiter":
        return "{% is not closed, or says nothing; write its name, and %} where it ends"
    if message == "missing expression":
        return "something is missing between the braces"
    for theirs, ours in _PARTS.items():
        message = re.sub(rf"\b(?:TOKEN_)?{theirs}\b", ours, message)
    return message.replace("a primitive expression", "a value").replace("an infix expression", "a comparison")


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word[:40], known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _at(source: str, index: int, message: str) -> Mistake:
    return Mistake(message, *line_and_column(source, index))
