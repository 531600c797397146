"""What people may see: pages for those who may not see addresses leave with addresses and tokens masked.

At the door, whatever page it is: a column, a timeline, what was typed into a search, a message. So there is no page
that could forget it.
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
#: Wider than a log's: any letters, and as links write it, also within another link.
_EMAIL: Final = re.compile(r"([\w.%+-])[\w.%+-]*(@|%(?:25)?40)([\w-]+(?:\.[\w-]+)*)")
_PHONE: Final = re.compile(r"((?:(?<![\w-])\+|%(?:25)?2B)[1-9]\d{1,2})\d{2,10}(\d{2})(?!\w)")
_TAG: Final = re.compile(r"(<[^>]*>)")
#: What is typed into a search is repeated in its box, and in the links of the page.
_VALUE: Final = re.compile(r'(\bvalue="[^"]{4})[^"\s]{40,}(?=")|((?:[?&;]q=|q%3D)[^&"]{4})[^&"]{40,}')
_VERBATIM: Final = ("script", "style")


class MaskedStream(StreamingHttpResponse):
    """A stream for whoever asks: who made it has masked what this person may not see."""


def for_eyes_of(user: User | AnonymousUser, response: HttpResponseBase) -> HttpResponseBase:
    """The response as this person may see it."""
    if not user.is_authenticated or user.has_perm(SEE):
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
        response.content = _addresses_masked(masked(text))
    return response


def masked_page(page: str) -> str:
    """HTML whose text shows no address or token, and whose tags hold none; scripts and styles stay as they are."""
    parts, verbatim = [], ""
    for part in _TAG.split(page):
        if part.startswith("<"):
            name = part.strip("</> ").partition(" ")[0].lower()
            verbatim = name if name in _VERBATIM and not part.startswith("</") else ""
            parts.append(_tag(part))
        else:
            parts.append(part if verbatim else _addresses_masked(masked(part)))
    return "".join(parts)


def _tag(tag: str) -> str:
    if "csrf" in tag.lower():
        return tag
    return _VALUE.sub(lambda found: f"{found[1] or found[2]}***", _addresses_masked(tag))


def _addresses_masked(text: str) -> str:
    return _PHONE.sub(r"\1***\2", _EMAIL.sub(r"\1***\2\3", text))
