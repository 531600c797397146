"""Settings that cannot work together, found before anything starts."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def leases_outlast_answers(**_newer: Any) -> Sequence[CheckMessage]:
    """A request begins only if it can be answered under its lease, and the first to an origin is waited for."""
    if settings.LEASE_SECONDS > 2 * settings.PROVIDER_SECONDS:
        return []
    return [
        Error(
            f"A lease of {settings.LEASE_SECONDS} s is too short for providers that may take "
            f"{settings.PROVIDER_SECONDS:g} s to answer.",
            hint="Make LEASE_SECONDS more than twice PROVIDER_SECONDS.",
            id="bongsu.E001",
        )
    ]
