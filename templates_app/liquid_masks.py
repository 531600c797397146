"""Liquid kept out of the way while a library that knows markup alone works on a text. Pure.

Between elements, Liquid becomes a comment, which may stand anywhere, even between the rows of a table; where a comment
would be text or break the markup, it becomes a word.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from templates_app.mistakes import line_and_column

_BEGINNING: Final = re.compile(r"\{[{%]")
_ENDS: Final = {"{{": "}}", "{%": "%}"}
_TOKEN: Final = re.compile(
    r"(?P<open><!--)|(?P<close>-->)|<(?P<slash>/?)(?P<name>[A-Za-z][^\s/>]*)|(?P<quote>[\"'])|(?P<empty>/>)|(?P<end>>)"
)
#: What stands for the liquid of this number. Letters and digits alone: good in an address, a style and a name.
_MASK: Final = re.compile(r"<!--lqd([0-9]+)zz-->|lqd([0-9]+)zz")
#: Elements whose content is no markup.
_RAW: Final = frozenset({"style", "script", "title", "textarea", "mj-style", "mj-title", "mj-preview"})


class Masked:
    """A text without its Liquid. `speaks` tells of an element whether words may stand in it."""

    def __init__(self, source: str, speaks: Callable[[str], bool] = lambda _name: False) -> None:
        self._source = source
        self._kept: list[str] = []
        #: Where each piece of the masked text begins: there, and in the source.
        self._starts: list[tuple[int, int]] = [(0, 0)]
        self.text = self._masked(speaks)

    def restored(self, text: str) -> str:
        """`text`, made of the masked one, with the Liquid in it again."""
        return _MASK.sub(lambda found: self._kept[int(found[1] or found[2])], text)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column in the source, from 1, of a place in the masked text, in bytes of UTF-8."""
        characters = len(self.text.encode()[:offset].decode(errors="ignore"))
        there, here = max(start for start in self._starts if start[0] <= characters)
        return line_and_column(self._source, here + characters - there)

    def _masked(self, speaks: Callable[[str], bool]) -> str:
        pieces: list[str] = []
        done, length, where = 0, 0, _Where()
        for start, end in liquids(self._source):
            for found in _TOKEN.finditer(self._source, done, start):
                where.meet(found)
            word = f"lqd{len(self._kept)}zz"
            mask = word if where.is_inside or speaks(where.element) else f"<!--{word}-->"
            pieces += [self._source[done:start], mask]
            length += start - done + len(mask)
            done = end
            self._kept.append(self._source[start:end])
            self._starts.append((length, done))
        return "".join([*pieces, self._source[done:]])


def liquids(source: str) -> Iterator[tuple[int, int]]:
    """Where each `{{ … }}` and `{% … %}` begins and ends, first to last.

    An end that is missing is looked for once, and not behind each beginning: there may be many thousands of those.
    """
    ends, at = dict(_ENDS), 0
    while found := _BEGINNING.search(source, at):
        at = found.start() + 1
        if found[0] not in ends:
            continue
        end = source.find(ends[found[0]], found.end())
        if end < 0:
            del ends[found[0]]
            continue
        at = end + 2
        yield found.start(), at


class _Where:
    """Where in a document the reading stands."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._tag = self._quote = ""
        self._is_closing = self._is_comment = False

    @property
    def is_inside(self) -> bool:
        """Whether this is inside a tag, a comment, or an element of plain words."""
        return bool(self._tag) or self._is_comment or self.element in _RAW

    @property
    def element(self) -> str:
        """The innermost element that may have content of its own."""
        return self._open[-1] if self._open else ""

    def meet(self, found: re.Match[str]) -> None:
        """Go on behind a token."""
        if self._is_comment:
            self._is_comment = not found["close"]
        elif self._tag:
            self._within_tag(found)
        elif found["name"]:
            name = found["name"].lower()
            if self.element not in _RAW or (found["slash"] and name == self.element):
                self._tag, self._is_closing = name, bool(found["slash"])
        elif found["open"]:
            self._is_comment = self.element not in _RAW

    def _within_tag(self, found: re.Match[str]) -> None:
        if self._quote:
            self._quote = "" if found["quote"] == self._quote else self._quote
        elif found["quote"]:
            self._quote = found["quote"]
        elif found["end"] or found["empty"]:
            if self._is_closing:
                self._leave(self._tag)
            elif found["end"]:
                self._open.append(self._tag)
            self._tag = ""

    def _leave(self, name: str) -> None:
        if name in self._open:  # elements that end by themselves, such as br, leave with the one around them
            while self._open.pop() != name:
                pass
