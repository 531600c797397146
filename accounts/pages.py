"""The pages that people reach by links in messages: no login, no cookies, no scripts. Looking changes nothing.

Only POST changes something: crawlers, link scanners and previews follow every link of an email by GET or HEAD. There is
no CSRF token, because there is no session that a foreign page could ride on: who has the link may use it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError

from accounts import choosing, consent, links
from accounts.channels import Channel
from accounts.choosing import Board
from accounts.consent_log import Witness
from accounts.links import BadLink, Subject
from accounts.models import Actor, Category, Via
from accounts.page_texts import LANGUAGES, Language, language_of

#: Wrong codes of text messages that one address may try.
_WRONG_CODES: Final = "20/m"
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}

View = Callable[[HttpRequest, str], HttpResponse]


class _Refused(Exception):
    """Nothing was changed; the page says why, in the words of this name."""

    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


def _page(view: View) -> Any:
    """Answers whatever is wrong with a link by a page that says so."""

    @wraps(view)
    def answer(request: HttpRequest, token: str) -> HttpResponse:
        try:
            return view(request, token)
        except BadLink:
            return _said(request, "bad_link", 404)
        except _Refused as refused:
            return _said(request, refused.why, refused.status)

    return csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(answer))


@_page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """/u/TOKEN: asks, and by POST unsubscribes; also where mail programs post by themselves (RFC 8058)."""
    subject, category_id = links.read_unsubscribe(token)
    return _leave(request, subject, list(Category.objects.filter(pk=category_id)), Via.UNSUBSCRIBE_PAGE)


@_page
def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """/o/CODE: the same for a text message. Whoever guesses is soon refused."""
    if _guesses(request):
        raise _Refused("too_many", 429)
    every = {category.pk: category for category in Category.objects.all()}
    try:
        phone, meant = links.read_optout(token, every)
    except BadLink:
        _guesses(request, count=True)
        raise
    return _leave(request, Subject(Channel.SMS, address=phone), [every[one] for one in meant], Via.SMS_LINK)


@_page
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """/p/TOKEN: every category on every channel, and quiet hours."""
    subject = links.read_preferences(token)
    shown = choosing.board(subject)
    if request.method != "POST":
        return _preferences(request, shown, is_saved="saved" in request.GET)
    if request.POST.get("form") != "preferences":
        raise _Refused("no_form", 400)
    at, by = timezone.now(), Witness(Actor.RECIPIENT, Via.PREFERENCE_CENTRE)
    if "nothing" in request.POST:
        choosing.nothing_more(subject, shown, at, by)
        return _see_again(request, shown)
    wanted = set(request.POST.getlist("on"))
    if not wanted <= {cell.name for cell in shown.cells}:
        raise _Refused("unknown_choice", 400)
    try:
        window = _window(request.POST)
    except ValueError:
        return _preferences(request, _as_wanted(shown, wanted), bad_hours=True)
    choosing.save(subject, shown, wanted, at, by)
    if shown.person:
        consent.set_quiet_hours(shown.person, window, at, by)
    return _see_again(request, shown)


def _leave(request: HttpRequest, subject: Subject, categories: list[Category], via: Via) -> HttpResponse:
    """Ask whether nothing of these categories shall come any more, and do it by POST."""
    shown = choosing.board(subject)
    if not categories:
        raise BadLink
    if all(category.is_critical for category in categories):
        raise _Refused("critical", 409 if request.method == "POST" else 200)
    if request.method == "POST":
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        if not one_click and request.POST.get("form") != "unsubscribe":
            raise _Refused("no_form", 400)
        by = Witness(Actor.RECIPIENT, Via.ONE_CLICK if one_click else via)
        for category in categories:
            choosing.unsubscribe(subject, shown, category, timezone.now(), by)
        shown = choosing.board(subject)
    cells = [shown.cell(category, subject.channel) for category in categories]
    about = {
        "category": ", ".join(category.name for category in categories),
        "channel": subject.channel.value,
        "address": _masked(shown.addresses.get(subject.channel, "")),
        "comes": any(cell and cell.allowed for cell in cells),
        "is_done": request.method == "POST",
        "preferences": reverse("preferences", args=[links.preferences_token(subject)]),
    }
    return _rendered(request, "pages/unsubscribe.html", about, _language(request, shown))


def _preferences(
    request: HttpRequest, shown: Board, *, is_saved: bool = False, bad_hours: bool = False
) -> HttpResponse:
    person = shown.person
    kept = (person.quiet_from, person.quiet_until) if person else (None, None)
    hours: list[str] = [f"{moment:%H:%M}" if moment else "" for moment in kept]
    if bad_hours:
        hours = [request.POST.get(name, "")[:8] for name in ("quiet_from", "quiet_until")]
    about = {
        "board": shown,
        "addresses": [_masked(address) for address in shown.addresses.values()],
        "stopped": [
            (channel.value, _masked(address), _cause(channel, cause)) for channel, address, cause in shown.stopped
        ],
        "hours": hours,
        "is_saved": is_saved and not bad_hours,
        "bad_hours": bad_hours,
    }
    return _rendered(request, "pages/preferences.html", about, _language(request, shown), 400 if bad_hours else 200)


def _see_again(request: HttpRequest, shown: Board) -> HttpResponse:
    """By GET, so that loading the page again saves nothing again."""
    where = f"{request.path}?lang={_language(request, shown).code}&saved=1"
    return HttpResponse(status=303, headers={**_HEADERS, "Location": where})


def _as_wanted(shown: Board, wanted: set[str]) -> Board:
    rows = tuple(
        (category, tuple(replace(cell, allowed=cell.name in wanted) for cell in cells))
        for category, cells in shown.rows
    )
    return replace(shown, rows=rows)


def _window(form: QueryDict) -> tuple[time, time] | None:
    """The quiet hours in a form; None for none. Raises `ValueError` for hours that are none."""
    start, end = form.get("quiet_from", "").strip(), form.get("quiet_until", "").strip()
    if not (start or end):
        return None
    window = tuple(datetime.strptime(text[:5], "%H:%M").time() for text in (start, end))  # noqa: DTZ007 - a clock on a wall
    if window[0] == window[1]:
        raise ValueError("an empty window")
    return window[0], window[1]


def _guesses(request: HttpRequest, *, count: bool = False) -> bool:
    """Whether this address tried too many wrong codes; one more, where it is to be counted."""
    try:
        usage = get_usage(request, group="optout", key="ip", rate=_WRONG_CODES, increment=count)
    except RedisError:
        return False
    return bool(usage and usage["should_limit"])


def _masked(address: str) -> str:
    """Enough for its owner to know it by."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}•••@{domain}"
    return f"{address[:3]}•••{address[-4:]}" if address else ""


def _cause(channel: Channel, cause: str) -> str:
    """The name of the sentence that says why an address is suppressed."""
    return "stop_email" if (channel, cause) == (Channel.EMAIL, "stop") else cause


def _language(request: HttpRequest, shown: Board | None = None) -> Language:
    locale = shown.person.locale if shown and shown.person else ""
    return language_of(request.GET.get("lang", ""), locale, request.headers.get("Accept-Language", ""))


def _said(request: HttpRequest, what: str, status: int) -> HttpResponse:
    language = _language(request)
    return _rendered(
        request,
        "pages/said.html",
        {
            "heading": language.text["nothing_changed"] if status >= 400 else language.text["always_on"],
            "sentence": language.text[what],
        },
        language,
        status,
    )


def _rendered(
    request: HttpRequest, template: str, about: dict[str, Any], language: Language, status: int = 200
) -> HttpResponse:
    context = {**about, "language": language, "text": language.text, "languages": LANGUAGES, "path": request.path}
    # without the request: its context processors would look into the session
    return HttpResponse(render_to_string(template, context), status=status, headers=_HEADERS)
