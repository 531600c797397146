"""What people may see: pages for those who may not see addresses leave with addresses and tokens masked.

At the door, whatever page it is: a column, a timeline, what was typed into a search, a message. So there is no page
that could forget it. Only what a form would save stays as it is, for a mask would be saved in its place: see
accounts/staff/unspoilt.py for why no form holds what its reader may not see.
"""

import re
from typing import Final

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponse, HttpResponseForbidden, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

from accounts.masking import masked

#: The permission to see addresses.
SEE: Final = "accounts.see_addresses"
#: Wider than a log's: any letters, and as links write it, also within another link. A run, taken as a whole and never
#: looked at again, and what follows it where it is an address; an @ as links write it is a part of its run.
_EMAIL: Final = re.compile(r"([\w.%+-]++)(@[\w-]+(?:\.[\w-]+)*)?")
_AT_IN_LINK: Final = re.compile(r"(?<!^)%(?:25)?40(?=[\w-])")
_PHONE: Final = re.compile(r"((?:(?<![\w-])\+|%(?:25)?2B)[1-9]\d{1,2})\d{2,10}(\d{2})(?!\w)")
#: With attributes in quotes, which may hold what ends a tag elsewhere.
_TAG: Final = re.compile(r"""<(/?[a-zA-Z][\w:-]*)(?:[^<>"']++|"[^"]*"|'[^']*')*+>""")
#: What is typed into a search is repeated in its box, and in the links of the page.
_VALUE: Final = re.compile(r'(\bvalue="[^"]{4})[^"\s]{40,}(?=")|((?:[?&;]q=|q%3D)[^&"]{4})[^&"]{40,}')
#: What an element of a form sends, as Django writes it.
_SENT: Final = re.compile(r'\svalue="[^"]*"')
_POSTS: Final = re.compile(r'\smethod="post"', re.IGNORECASE)
#: Elements whose text has no tags; nobody reads that of the first two.
_RAW: Final = ("script", "style", "textarea")
_SENDING: Final = ("input", "option", "button")


class MaskedStream(StreamingHttpResponse):
    """A stream for whoever asks: who made it has masked what this person may not see."""


def sees(user: User | AnonymousUser) -> bool:
    """Whether somebody's pages show addresses and tokens in full."""
    return user.has_perm(SEE)


def for_eyes_of(user: User | AnonymousUser, response: HttpResponseBase) -> HttpResponseBase:
    """The response as this person may see it."""
    if not user.is_authenticated or sees(user):
        return response
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        response.add_post_render_callback(_mask)
        return response
    return _mask(response)


def _mask(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, MaskedStream):
        return response
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    if not isinstance(response, HttpResponse):  # a stream: nobody has looked at it
        return HttpResponseForbidden("You may not see addresses.")
    text = response.content.decode(response.charset or "utf-8", errors="replace")
    if kind == "text/html":
        response.content = masked_page(text)
    elif kind.startswith("text/") or kind.endswith("json"):
        response.content = masked_text(text)
    return response


def masked_text(text: str) -> str:
    """Text as a page shows it to those who may not see addresses."""
    masked_once = masked(text)
    if "@" in masked_once or "40" in masked_once:
        masked_once = _EMAIL.sub(_email_masked, masked_once)
    return _PHONE.sub(r"\1***\2", masked_once)


def masked_page(page: str) -> str:
    """HTML whose text shows no address or token, and whose tags hold none.

    Scripts and styles stay as they are, and so does what a form would save: the values of elements within one that
    posts. Boxes that only search, in forms that get, hold nothing that is saved.
    """
    parts: list[str] = []
    at, is_saved = 0, False
    while tag := _TAG.search(page, at):
        name = tag[1].lower()
        if name in ("form", "/form"):
            is_saved = bool(_POSTS.search(tag[0]))
        parts += masked_text(page[at : tag.start()]), _tag(tag[0], name, is_saved=is_saved)
        at = tag.end()
        if name in _RAW:
            end = re.compile(f"</{name}", re.IGNORECASE).search(page, at)
            text = page[at : end.start() if end else len(page)]
            parts.append(masked_text(text) if name == "textarea" and not is_saved else text)
            at += len(text)
    parts.append(masked_text(page[at:]))
    return "".join(parts)


def _tag(tag: str, name: str, *, is_saved: bool) -> str:
    if "csrf" in tag.lower():
        return tag
    sent = _SENT.search(tag) if is_saved and name in _SENDING else None
    if sent:
        return f"{_attributes(tag[: sent.start()])}{sent[0]}{_attributes(tag[sent.end() :])}"
    return _attributes(tag)


def _attributes(text: str) -> str:
    return _VALUE.sub(
        lambda found: f"{found[1] or found[2]}***", _PHONE.sub(r"\1***\2", _EMAIL.sub(_email_masked, text))
    )


def _email_masked(found: re.Match[str]) -> str:
    run, rest = found[1], found[2]
    if rest:
        return f"{run[0]}***{rest}"
    if "40" not in run:
        return run
    coded = [place.start() for place in _AT_IN_LINK.finditer(run)]
    return f"{run[0]}***{run[coded[-1] :]}" if coded else run
