"""Structured logs: JSON for machines, colours for people, addresses masked for both."""

import io
import logging
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final, TextIO
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse
from structlog.typing import ExcInfo

from accounts.masking import SECRET_NAMES, masked


def mask_addresses(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: nothing that identifies a person or opens a door leaves this process."""
    for name, value in event.items():
        event[name] = _masked_value(name, value)
    return event


def _masked_value(name: str, value: object) -> object:
    match value:
        case str() | bytes() | Mapping() | list() | tuple() if SECRET_NAMES.search(name):
            return "***"
        case str():
            return masked(value)
        case bytes():
            return masked(value.decode(errors="replace"))
        case Mapping():
            return {inner: _masked_value(str(inner), held) for inner, held in value.items()}
        case list() | tuple():
            return [_masked_value(name, held) for held in value]
        case _:
            return value


def _masked_traceback(out: TextIO, error: ExcInfo) -> None:
    """For people: without the values of variables, which no mask knows, and masked as all else."""
    text = io.StringIO()
    structlog.dev.plain_traceback(text, error)
    out.write(masked(text.getvalue()))


_SHARED: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def logging_config(*, style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything through structlog, to standard error."""
    console = style == "console" or (not style and sys.stderr.isatty())
    last: list[Any] = (
        [mask_addresses, structlog.dev.ConsoleRenderer(exception_formatter=_masked_traceback)]
        if console
        else [
            structlog.processors.format_exc_info,
            mask_addresses,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            # answered with 400; its traceback tells nothing
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }


class RequestLog:
    """Middleware: names each request, and says in one line how it went."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.log = structlog.get_logger("bongsu.request")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and note how it went."""
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=uuid4().hex[:12])
        response = self.get_response(request)
        if self._worth_a_line(response):
            self.log.info(
                "request.answered",
                method=request.method,
                route=request.resolver_match.route if request.resolver_match else "",
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return response

    @staticmethod
    def _worth_a_line(response: HttpResponse) -> bool:
        return logging.getLogger("bongsu.request").isEnabledFor(logging.INFO) and response.status_code != 304
