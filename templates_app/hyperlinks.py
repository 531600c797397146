"""Where links to web pages stand in a rendered text. Pure.

HTML is read as a browser's tokenizer reads it (HTML Living Standard, 13.2.5), as far as tags and their attributes go:
an email that shows a link in a mail program has it here too, however oddly it is quoted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from html.entities import html5
from typing import Final

#: An attribute by which a link says that it is to stay as it is.
UNTRACKED: Final = "data-untracked"

#: What begins something of interest. Comments are passed over, but for those that Outlook reads: <!--[if mso]>.
#: Letters of both cases are written out, which is twice as quick here as to ignore their case.
_BEGINNING: Final = re.compile(
    r"<(?=[aAsStTxX!])(?:[aA](?:[rR][eE][aA])?[\t\n\f\r /]|(?P<comment>!--(?!\[[iI][fF]\b))"
    r"|(?P<raw>[sS][cC][rR][iI][pP][tT]|[sS][tT][yY][lL][eE]|[tT][iI][tT][lL][eE]|[tT][eE][xX][tT][aA][rR][eE][aA]"
    r"|[xX][mM][pP])(?=[\t\n\f\r />]))"
)
#: A name, and perhaps a value.
_ATTRIBUTE: Final = re.compile(
    r"[\t\n\f\r /]*(=?[^\t\n\f\r />=]+)"
    r"""(?:[\t\n\f\r ]*=[\t\n\f\r ]*("[^"]*"|'[^']*'|(?![\"'])[^\t\n\f\r >]*))?"""
)
#: A quoted value that has no end takes the rest of the document with it, and is no link.
_UNENDED: Final = re.compile(r"[\t\n\f\r ]*=[\t\n\f\r ]*[\"']")
_REFERENCE: Final = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[a-zA-Z][a-zA-Z0-9]*[;=]?)")
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
#: Schemes by which a link runs a program, or shows a page of its sender's own making, where it is opened.
RUNNING: Final = ("javascript", "vbscript", "data")
_RUNS: Final = re.compile(f"(?:{'|'.join(RUNNING)}):", re.IGNORECASE)
#: How the value of an attribute begins that may be such a link: every one that is, and few others. A browser passes
#: over line breaks and tabs inside of a scheme.
_MAY_RUN: Final = re.compile(
    r"=[\t\n\f\r ]*[\"']?[\x00-\x20]*(?:&|[jJ][\t\n\r]*[aA]|[vV][\t\n\r]*[bB]|[dD][\t\n\r]*[aA][\t\n\r]*[tT])"
)
#: What a URL parser leaves out before it begins (URL Standard, 4.4).
LEFT_OUT: Final = str.maketrans("", "", "\t\n\r")
_AROUND: Final = "".join(map(chr, range(33)))

#: A URL among words: what RFC 3986 lets stand in one, and letters of other scripts behind a delimiter, where a path or
#: a name goes on in them. Behind a letter they are the next word: Korean puts its particles there.
_IN_WORDS: Final = re.compile(r"https?://(?:[!#-;=?-~]+|(?<=[/=?&#+_.%-])[^\x00-\x7f\s]+)+", re.IGNORECASE)
#: Ends a sentence, not a URL.
_AFTER: Final = ".,:;!?'*_~)]}"


@dataclass(frozen=True, slots=True)
class Hyperlink:
    """A link to a web page: where it leads, and the part of the text, quotes included, that says so."""

    url: str
    start: int
    end: int


def in_html(html: str) -> list[Hyperlink]:
    """The links of `<a>` and `<area>`, first to last; not those that lead elsewhere than to http and https, and not
    those with the attribute `data-untracked`.
    """
    return [link for link, is_tracked in _in_html(html) if is_tracked and _WEB.match(link.url)]


def runs(url: str) -> bool:
    """Whether a link runs a program, or shows what its sender made, instead of leading to a page."""
    return bool(_RUNS.match(url.strip(_AROUND).translate(LEFT_OUT)))


def may_run(html: str) -> bool:
    """Whether an attribute begins as links do that `runs`; quick, and true also of some that do not."""
    return _MAY_RUN.search(html) is not None


def one_that_runs(html: str) -> str:
    """The first link of `<a>` or `<area>` that `runs`; "" where there is none."""
    if not may_run(html):
        return ""
    return next((link.url for link, _ in _in_html(html) if runs(link.url)), "")


def in_words(text: str) -> list[Hyperlink]:
    """The URLs in plain text, as phones and mail programs make links of them."""
    found = []
    for one in _IN_WORDS.finditer(text):
        url = one[0]
        while url[-1] in _AFTER and not (url[-1] == ")" and url.count("(") >= url.count(")")):
            url = url[:-1]
        if not _WEB.fullmatch(url):
            found.append(Hyperlink(url, one.start(), one.start() + len(url)))
    return found


def _in_html(html: str) -> Iterator[tuple[Hyperlink, bool]]:
    """Every link, and whether it may be followed."""
    at = 0
    while beginning := _BEGINNING.search(html, at):
        at = beginning.end()
        if beginning["comment"]:
            # <!--> is a whole one
            at = _behind(html, "-->", at - 2)
        elif beginning["raw"]:
            at = _behind(html, f"</{beginning['raw']}", at)
        else:
            link, is_tracked, at = _tag(html, at)
            if link:
                yield link, is_tracked


def _tag(html: str, at: int) -> tuple[Hyperlink | None, bool, int]:
    """The link of the tag whose name ends at `at`, if it is one, whether it may be followed, and where its attributes
    end.
    """
    link, is_tracked, is_first = None, True, True
    while attribute := _ATTRIBUTE.match(html, at):
        at = attribute.end()
        name, value = attribute.groups()
        name = name.lower()
        if value is None and _UNENDED.match(html, at):
            return None, False, len(html)
        if name == UNTRACKED:
            is_tracked = False
        elif name == "href" and is_first:
            # of an attribute that is given twice, the first counts
            is_first = False
            if value:
                link = Hyperlink(_url(value), *attribute.span(2))
    return link, is_tracked, at


def _url(value: str) -> str:
    """The URL that an attribute's source stands for."""
    if value[0] in "\"'":
        value = value[1:-1]
    if "&" in value:
        value = _REFERENCE.sub(_referred, value)
    if not value.isprintable() or " " in value:
        value = value.strip(_AROUND).translate(LEFT_OUT)
    return value


def _referred(found: re.Match[str]) -> str:
    """A character reference in an attribute: `&copy=1` is none there, though it would be one among words."""
    source = found[0]
    if source[1] == "#" or (source[-1] != "=" and source[1:] in html5):
        return unescape(source)
    return source


def _behind(html: str, end: str, at: int) -> int:
    """Where the first `end` from `at` on ends, in whatever letters; the end of the document where there is none."""
    found = re.compile(re.escape(end), re.IGNORECASE).search(html, at)
    return found.end() if found else len(html)
