"""The doors for people: a link that leads on, and a picture that is not seen. No cookies, no session, no database."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.encoding import iri_to_uri
from django.views.decorators.http import require_safe

from accounts.page_texts import LANGUAGES, language_of
from notifications import tracked
from notifications.clock import clock
from notifications.tracked import BadToken
from notifications.vocabulary import ReceiptKind
from tracking import machines
from tracking.sightings import Sighting, door

_HEADERS: Final = {
    "Cache-Control": "no-store",
    # where a link leads does not learn by which it was found
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_PAGE_HEADERS: Final = {
    **_HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Vary": "Accept-Language",
}
#: Headers of a browser that fetches what somebody may want next (developer.mozilla.org, Sec-Purpose; the others are
#: what Chrome and Firefox sent before).
_AHEAD: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
#: The smallest GIF there is: 1 by 1, transparent.
_GIF: Final = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
#: Characters of a URL that are worth keeping.
_SHOWN: Final = 200


@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """/c/TOKEN: note the click, and lead where was signed. What looks without going there is not noted."""
    try:
        found = tracked.read_click(token)
        where = _location(found.url)
    except (BadToken, ValueError):
        return _unknown(request)
    if _is_meant(request):
        url = found.url.partition("#")[0].partition("?")[0][:_SHOWN]
        door.put(Sighting(found.delivery_id, ReceiptKind.CLICKED, clock.now(), _machine(request), found.number, url))
    return HttpResponse(status=302, headers={**_HEADERS, "Location": where})


@require_safe
def picture(request: HttpRequest, token: str) -> HttpResponse:
    """/e/TOKEN.gif: note that the mail was opened."""
    try:
        delivery_id = tracked.read_open(token)
    except BadToken:
        return _unknown(request)
    if _is_meant(request):
        door.put(Sighting(delivery_id, ReceiptKind.OPENED, clock.now(), _machine(request)))
    return HttpResponse(_GIF, content_type="image/gif", headers=_HEADERS)


def _location(url: str) -> str:
    """A signed URL as a header carries it. Only web pages can have been signed; this looks again all the same."""
    parts = urlsplit(url)
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc:
        raise ValueError(url)
    if not parts.netloc.isascii():
        url = urlunsplit((parts.scheme, parts.netloc.encode("idna").decode(), *parts[2:]))
    return iri_to_uri(url)


def _is_meant(request: HttpRequest) -> bool:
    return request.method == "GET" and not any("pre" in request.META.get(name, "").lower() for name in _AHEAD)


def _machine(request: HttpRequest) -> str:
    return machines.machine(request.META.get("HTTP_USER_AGENT", ""))


def _unknown(request: HttpRequest) -> HttpResponse:
    """A page that says that the link is not whole; it leads nowhere."""
    language = language_of(request.GET.get("lang", ""), "", request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    text = language.text
    shown = {
        "heading": text["dead_link_title"],
        "sentence": text["dead_link"],
        "language": language,
        "text": text,
        "languages": LANGUAGES,
        "path": request.path,
    }
    return HttpResponse(render_to_string("pages/said.html", shown), status=404, headers=_PAGE_HEADERS)
