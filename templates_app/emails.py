"""What is typed for an email becomes what is sent: MJML to HTML, CSS into the elements, preheader, plain text. Pure.

All of it happens once for a version and locale, before Liquid is compiled; a recipient costs nothing of it. Nothing is
fetched: no include, no stylesheet, no font.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

import css_inline
import mrml

from templates_app.liquid_masks import Masked, liquids
from templates_app.plain_text import plain_text
from templates_app.push_fields import Unfit

#: Elements of MJML that hold HTML or words; in all others only elements may stand.
_SPEAKING: Final = frozenset(
    {"mj-text", "mj-button", "mj-navbar-link", "mj-social-element", "mj-accordion-title", "mj-accordion-text"}
)
_RTL: Final = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_RTL_SCRIPTS: Final = frozenset({"Arab", "Hebr", "Thaa", "Syrc", "Nkoo"})
#: Stands behind the preheader, so that mail programs do not go on with the email's first words.
_PADDING: Final = "&#847;&zwnj;&nbsp;" * 80
_HIDDEN: Final = (
    "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all"
)
_HAS_LAYOUT: Final = re.compile(r"\s*\{%-?\s*extends\b")
_MJ_TAG: Final = re.compile(
    r"<(?P<end>/?)(?P<name>mj(?:ml|-[a-z-]+))\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(?P<empty>/?)>", re.IGNORECASE
)
_MJ_LEFT: Final = re.compile(r"<(mj-[a-z-]+)\b")
_SPAN: Final = re.compile(r" at position (\d+):\d+")
#: These three are looked for by `_opening`.
_HTML_TAG: Final = re.compile(r"<html\b([^>]*)>", re.IGNORECASE)
_HEAD_TAG: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_BODY_TAG: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_CHARSET: Final = re.compile(r"<meta\b[^<>]*charset", re.IGNORECASE)
_ROWS: Final = re.compile(r"(<table\b[^<>]*>\s*)((?:<!--lqd[0-9]+zz-->\s*)+<tr\b)", re.IGNORECASE)
#: A line that holds nothing but tags: what they hold brings line breaks of its own. Each tag is taken as a whole: there
#: is one way to read a line of many.
_TAGS_ALONE: Final = re.compile(r"^((?:\{%(?:(?!%\})[^\n])*+%\})++)\n+", re.MULTILINE)
_STYLE: Final = re.compile(r"<style\b", re.IGNORECASE)

_INLINER: Final = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_PARSING: Final = mrml.ParserOptions(include_loader=mrml.memory_loader({}))
#: No fonts: a mail program would fetch them from Google, and tell it who reads.
_RENDERING: Final = mrml.RenderOptions(fonts={})


def prepared(said: Mapping[str, Any], locale: str) -> dict[str, str]:
    """The Liquid sources of subject, html, text and preheader, of what was typed. Raises `Unfit`."""
    if "mjml" in said and "html" in said:
        raise Unfit("mjml", "write either mjml or html, not both.")
    if not {"mjml", "html", "text"} & set(said):
        raise Unfit("", "an email needs html or text, better both.")
    sources = {name: source for name, source in said.items() if name != "mjml"}
    if "mjml" not in said and "html" not in said:
        return sources
    if _HAS_LAYOUT.match(said.get("html", "")):
        # the document is its layout's; what would be put around the text would not be shown
        if said.get("preheader"):
            raise Unfit("preheader", "where a layout is, it belongs there; write it into the layout.")
        return sources
    html = _html_of(said["mjml"]) if "mjml" in said else said["html"]
    if _STYLE.search(html):
        html = _inlined(html)
    if "text" not in said:
        text = text_of(html)
        if text:
            sources["text"] = text
    html = _document(html, locale)
    if preheader := said.get("preheader"):
        if "mjml" in said and "<mj-preview" in said["mjml"]:
            raise Unfit("preheader", "the MJML has an mj-preview already; write the line in one of them.")
        html = _with_preheader(html, preheader)
    return {**sources, "html": html}


def _html_of(mjml: str) -> str:
    masked = Masked(mjml, speaks=_SPEAKING.__contains__)
    _check_nesting(masked)
    try:
        output = mrml.to_html(masked.text, _PARSING, _RENDERING)
    except OSError as error:  # what mrml raises for everything
        said = str(error).replace(" in root template", "")
        place = _SPAN.search(said)
        line, column = masked.position(int(place[1])) if place else (0, 0)
        raise Unfit("mjml", f"{_SPAN.sub('', said)}.", line=line, column=column) from None
    if left := _MJ_LEFT.search(output.content):
        raise Unfit("mjml", f"{left[1]} is no element of MJML, or may not stand where it does.")
    return masked.restored(output.content)


def _check_nesting(masked: Masked) -> None:
    """Every element of MJML ends by its own name. mrml takes any end for the right one, and trips over it later."""
    around: list[str] = []
    for tag in _MJ_TAG.finditer(_without_comments(masked.text)):
        name, is_end = tag["name"].lower(), bool(tag["end"])
        if not is_end and not tag["empty"]:
            around.append(name)
        elif is_end and (not around or around.pop() != name):
            line, column = masked.position(len(masked.text[: tag.start()].encode()))
            raise Unfit("mjml", f"</{name}> ends nothing that is open here.", line=line, column=column)


def _without_comments(text: str) -> str:
    """With spaces in their place."""
    pieces, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        pieces += [text[at:start], " " * (end + 3 - start)]
        at = end + 3
    return "".join([*pieces, text[at:]])


def _inlined(html: str) -> str:
    masked = Masked(html)
    # else the parser would open the table's body behind a loop's beginning, and close it behind its end
    text = _ROWS.sub(r"\1<tbody>\2", masked.text)
    try:
        return masked.restored(_INLINER.inline(text))
    except css_inline.InlineError as error:
        raise Unfit("html", f"the CSS cannot be put into the elements: {error}.") from None


def text_of(html: str) -> str:
    """The plain text of an HTML source; its Liquid stays."""
    masked = Masked(html, speaks=lambda _name: True)
    return _TAGS_ALONE.sub(r"\1", masked.restored(plain_text(masked.text)))


def _document(html: str, locale: str) -> str:
    """A whole document that says its language, direction and character set."""
    language, _, rest = locale.partition("-")
    is_rtl = language in _RTL or rest.partition("-")[0] in _RTL_SCRIPTS
    own = f'lang="{locale}" dir="{"rtl" if is_rtl else "ltr"}"'
    html = html.replace(' lang="und" dir="auto"', f" {own}")  # what mrml writes where nothing is said
    tag = _opening(_HTML_TAG, html)
    if tag is None:
        if _opening(_BODY_TAG, html) or _opening(_HEAD_TAG, html):
            return f"<!doctype html><html {own}>{_with_charset(html)}</html>"
        return f'<!doctype html><html {own}><head><meta charset="utf-8"></head><body>{html}</body></html>'
    lacking = [pair for pair in own.split(" ") if not re.search(rf"\b{pair.partition('=')[0]}\s*=", tag[1])]
    html = html[: tag.start()] + f"<html{tag[1]}{''.join(f' {pair}' for pair in lacking)}>" + html[tag.end() :]
    return _with_charset(html)


def _with_charset(html: str) -> str:
    if _CHARSET.search(html):
        return html
    head = _opening(_HEAD_TAG, html)
    if head:
        return f'{html[: head.end()]}<meta charset="utf-8">{html[head.end() :]}'
    tag = _opening(_HTML_TAG, html)
    start = tag.end() if tag else 0
    return f'{html[:start]}<head><meta charset="utf-8"></head>{html[start:]}'


def _with_preheader(html: str, preheader: str) -> str:
    """The preheader first in the body, unseen. What its writer typed is escaped; its Liquid escapes what it brings."""
    line, done = "", 0
    for start, end in liquids(preheader):
        line += escape(preheader[done:start]) + preheader[start:end]
        done = end
    hidden = f'<div style="{_HIDDEN}">{line}{escape(preheader[done:])}{_PADDING}</div>'
    body = _opening(_BODY_TAG, html)
    start = body.end() if body else 0
    return html[:start] + hidden + html[start:]


def _opening(tag: re.Pattern[str], html: str) -> re.Match[str] | None:
    """The first such tag. Behind the last > there is none, however many begin there."""
    return tag.search(html, 0, html.rfind(">") + 1)
