"""The short way to links and pictures of messages: they know no sessions, no forms and no accounts."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

#: Where tracking.page_urls begin.
_BEGINNINGS: Final = ("/c/", "/e/")


class Shortcut:
    """Middleware: answers these at once. What comes after it costs more than they do, and logs a line for each.

    They are counted where they arrive; how many there are a second is for the proxy to say.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass on."""
        if not request.path_info.startswith(_BEGINNINGS):
            return self.get_response(request)
        found = resolve(request.path_info, "tracking.page_urls")
        answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
        # CommonMiddleware would say so; without it, answers go in chunks
        answer["Content-Length"] = str(len(answer.content))
        return answer
