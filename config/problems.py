"""Every error a client can meet, as an RFC 9457 problem document, from one table."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.response import Response

from config import theme
from notifications.api.field_errors import field_errors
from notifications.intake import KeyReused, Unacceptable

#: What a status is called where no key is concerned.
_FOR_PEOPLE: Final[Mapping[int, str]] = {403: "You may not do that."}

log = structlog.get_logger(__name__)

CONTENT_TYPE: Final = "application/problem+json"

#: What each kind of problem is called. The type is a relative reference into the API's documentation.
_TITLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("malformed", "The request could not be read."),
    401: ("not-authenticated", "The appKey or appSecret is missing, wrong or revoked."),
    403: ("not-allowed", "This key may not do that."),
    404: ("not-found", "There is nothing here."),
    405: ("method-not-allowed", "This address does not take this method."),
    406: ("not-acceptable", "Only application/json can be answered."),
    409: ("conflict", "It is in no state for that, or somebody else changed it at the same time."),
    413: ("too-large", "The body is too large."),
    415: ("wrong-content-type", "Send application/json."),
    422: ("invalid", "Some fields cannot be accepted."),
    429: ("too-many-requests", "Too many requests."),
    500: ("server-error", "Something went wrong on our side."),
    503: ("unavailable", "A part of the platform does not answer; nothing was lost. Try again."),
}

Fields = Sequence[Mapping[str, str]]


def document(status: int, detail: str, *, errors: Fields = ()) -> dict[str, Any]:
    """A problem document; `errors` names each field and says what would be accepted."""
    name, title = _TITLES.get(status, ("error", HTTPStatus(status).phrase))
    problem: dict[str, Any] = {"type": f"/docs/problems#{name}", "title": title, "status": status, "detail": detail}
    if errors:
        problem["errors"] = list(errors)
    return problem


def described(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """The status and the document for an error a client can do something about; None for all others."""
    match error:
        case Unacceptable(problems=problems):
            fields = [{"field": problem.field, "message": problem.message} for problem in problems]
            return 422, document(422, "; ".join(f"{f['field']}: {f['message']}" for f in fields[:3]), errors=fields)
        case KeyReused():
            return 422, document(422, str(KeyReused.__doc__))
        case exceptions.ValidationError():
            fields = field_errors(error.detail)
            return 422, document(422, "; ".join(f"{f['field']}: {f['message']}" for f in fields[:3]), errors=fields)
        case exceptions.APIException():
            return error.status_code, document(error.status_code, str(error.detail))
        case Http404():
            return 404, document(404, "There is nothing at this address, or it belongs to another application.")
        case PermissionDenied():
            return 403, document(403, str(error) or "This key may not do that.")
        case RequestDataTooBig():
            return 413, document(413, "The body is too large.")
        case OperationalError() | InterfaceError() | RedisError():
            log.error("request.part_unavailable", error=type(error).__name__, detail=str(error))
            return 503, document(503, "Try again in a few seconds.")
        case _:
            return None


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler."""
    found = described(error)
    if found is None and isinstance(error, DatabaseError) and not connection.is_usable():
        # the server went away in the middle of a statement, for which psycopg2 has no class of its own
        found = described(OperationalError(str(error)))
    if found is None:
        level = "request.database_error" if isinstance(error, DatabaseError) else "request.failed"
        log.error(level, exc_info=error)
        found = 500, document(500, "It has been noted. Nothing of this request was kept.")
    status, problem = found
    response = Response(problem, status=status, content_type=CONTENT_TYPE)
    if isinstance(error, exceptions.APIException):
        if header := getattr(error, "auth_header", None):
            response["WWW-Authenticate"] = header
        if (wait := getattr(error, "wait", None)) is not None:
            response["Retry-After"] = str(max(1, round(wait)))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "5"
    return response


def _page(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """A problem document; where people work, a page. It asks nothing of the database, which may be what is ill."""
    if not request.path.startswith("/admin/"):
        return JsonResponse(document(status, detail), status=status, content_type=CONTENT_TYPE)
    title = _FOR_PEOPLE.get(status, _TITLES[status][1])
    shown = {
        "title": title,
        "detail": detail,
        "site_title": "Bongsu",
        "styles": [static("bongsu/admin.css")],
        "scripts": [static("bongsu/admin.js")],
        "colors": theme.colors(),
    }
    return HttpResponse(render_to_string("admin/said.html", shown), status=status)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Outside the API views: no such address."""
    return _page(request, 404, "There is nothing at this address. The API is described at /docs/.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Outside the API views: our fault."""
    return _page(request, 500, "It has been noted.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Outside the API views: a request that Django would not read."""
    return _page(request, 400, "The request could not be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Outside the API views: not allowed."""
    return _page(request, 403, "Not allowed.")


@require_safe
def explained(request: HttpRequest) -> HttpResponse:
    """The page to which each problem's `type` leads."""
    kinds = [{"status": status, "name": name, "title": title} for status, (name, title) in _TITLES.items()]
    return render(request, "problems.html", {"kinds": kinds})
