"""The home page of the admin, put together from what each app tells."""

from typing import Any

from django.http import HttpRequest

from campaigns.admin import under_way
from notifications.admin import home
from notifications.clock import clock


def told(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page shows."""
    return {**home.told(request, context), **under_way.told(request, clock.now())}
