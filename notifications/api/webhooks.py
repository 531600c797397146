"""Providers call back here. Their signature is their key; no appKey is asked for."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import receiving
from notifications.clock import clock
from notifications.meters import metered
from notifications.providers.contract import Callback, Forged

#: An empty TwiML document: Twilio looks for one in the answer to an incoming message, and an answer by text message is
#: none of ours. Others look at the status alone.
_SAY_NOTHING: Final = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


@csrf_exempt
@require_http_methods(["POST", "GET", "HEAD"])
def callback(request: HttpRequest, account: str, delivery_id: UUID | None = None) -> HttpResponse:
    """Keep a provider's receipts: 204. 403 for a wrong signature, 404 where nobody listens, 413 for too long a body.

    HEAD is how some providers try out an address, and GET how some call it. `delivery_id` is part of the address so
    that the answer to one message can be told from others; a reader takes it from a URL that the signature covers.
    """
    return _received(request, account) or HttpResponse(status=204)


@csrf_exempt
@require_http_methods(["POST", "GET", "HEAD"])
def inbound(request: HttpRequest, account: str) -> HttpResponse:
    """Heed what people send to one of our numbers: 200 and nothing that would be sent back to them."""
    return _received(request, account) or HttpResponse(_SAY_NOTHING, content_type="text/xml")


def _received(request: HttpRequest, account: str) -> HttpResponse | None:
    """Take in a provider's call; the answer, where it is not the usual one."""
    if request.method == "HEAD":
        return HttpResponse(status=200)
    try:
        body = request.body
    except RequestDataTooBig:
        return _problem(413, f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes.")
    call = Callback(
        url=settings.PUBLIC_URL + request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        at=clock.now(),
    )
    try:
        receiving.receive(account, call)
    except Forged:
        with metered() as meters:
            meters.count("forged", account)
        return _problem(403, "The signature of this call does not fit, or it is too old.")
    except receiving.NobodyListens:
        return _problem(404, "No active provider account of this name takes calls.")
    return None


def _problem(status: int, detail: str) -> HttpResponse:
    return JsonResponse(
        {"type": "about:blank", "status": status, "detail": detail},
        status=status,
        content_type="application/problem+json",
    )
