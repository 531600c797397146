"""How many requests an application may make."""

from typing import Any

import structlog
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.authentication import Caller

log = structlog.get_logger(__name__)


class ApplicationThrottle(BaseThrottle):
    """The application's own rate limit, counted for all of its keys together, on all machines."""

    def __init__(self) -> None:
        self._seconds_left: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count this request, and say whether it may pass."""
        caller: object = request.user
        if not isinstance(caller, Caller):
            return True
        try:
            usage = get_usage(
                request,
                group="api",
                key=lambda _group, _request: str(caller.application_id),
                rate=caller.rate_limit,
                increment=True,
            )
        except RedisError as error:
            # what can be accepted without Redis is: only counting needs it
            log.warning("throttle.uncounted", error=type(error).__name__)
            return True
        if usage is None or not usage["should_limit"]:
            return True
        self._seconds_left = usage["time_left"]
        return False

    def wait(self) -> float | None:
        """Seconds until the count starts again, for Retry-After."""
        return self._seconds_left
