"""Plain text of an HTML email, made of its source: Liquid stays where it is and is rendered like any text. Pure.

A reader of whole pages would lay out tables, and move what stands between their rows: the loops. This one goes from
the first letter to the last.
"""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Final

_HIDDEN: Final = frozenset({"head", "style", "script", "title", "noscript"})
_ALONE: Final = frozenset({"br", "hr", "img", "meta", "link", "input", "col", "area", "base", "wbr", "source"})
_PARAGRAPHS: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "hr"})
_LINES: Final = frozenset({"div", "tr", "li", "br", "section", "article", "header", "footer", "body", "dt", "dd"})
#: What the parser may be asked to do with what has no end: beginnings of tags times characters. It looks from each to
#: the end; this many take a tenth of a second.
_PATIENCE: Final = 5_000_000
_TAG: Final = re.compile(r"<[^<>]*>")
_UNSEEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def plain_text(html: str) -> str:
    """What a person reads, links behind their words in parentheses. Liquid in `html` is text here, not a comment."""
    reader = _Reader()
    reader.feed(html)
    reader.finish()
    lines = [" ".join(line.split(" ")).strip() for line in re.sub(r"[ \t]+", " ", "".join(reader.words)).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden: list[str] = []
        self._links: list[tuple[str, int]] = []

    def finish(self) -> None:
        """Read what is left behind something without an end; too much of it is words, without what looks like tags."""
        if self.rawdata.count("<") * len(self.rawdata) > _PATIENCE:
            self.handle_data(unescape(_TAG.sub(" ", self.rawdata)))
            self.rawdata = ""
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line where the element does."""
        given = {name: value or "" for name, value in attrs}
        if self._hidden or tag in _HIDDEN or _UNSEEN.search(given.get("style", "")) or "hidden" in given:
            if tag not in _ALONE:
                self._hidden.append(tag)
            return
        self._break(tag)
        if tag == "li":
            self.words.append("- ")
        elif tag in ("td", "th"):
            self.words.append(" ")
        elif tag == "img":
            self.words.append(given.get("alt", ""))
        elif tag == "a":
            self._links.append((given.get("href", "").strip(), len(self.words)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """As a beginning, of what has no end."""
        self.handle_starttag(tag, attrs)
        if tag not in _ALONE:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """End the line, and write the address of a link."""
        if self._hidden:
            if tag in self._hidden:
                while self._hidden.pop() != tag:
                    pass
            return
        if tag == "a" and self._links:
            address, start = self._links.pop()
            said = "".join(self.words[start:]).strip()
            shown = address.removeprefix("mailto:").removeprefix("tel:")
            if shown and not shown.startswith("#") and shown != said:
                self.words.append(f" ({shown})" if said else shown)
        self._break(tag)

    def handle_data(self, data: str) -> None:
        """Words, on one line as HTML has them."""
        if not self._hidden:
            self.words.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.words.append("\n\n")
        elif tag in _LINES:
            self.words.append("\n")
