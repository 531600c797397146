"""Settings that cannot work together are found before anything starts."""

import pytest
from django.test import override_settings

from config.checks import leases_outlast_answers


@pytest.mark.parametrize(
    ("lease", "answer", "fits"),
    [
        (60, 10.0, True),
        (21, 10.0, True),
        (20, 10.0, False),  # the second to an origin may begin after the first one's ten seconds
        (5, 10.0, False),
    ],
)
def test_a_lease_outlasts_two_answers(lease: int, answer: float, fits: bool) -> None:
    with override_settings(LEASE_SECONDS=lease, PROVIDER_SECONDS=answer):
        errors = leases_outlast_answers()

    assert not errors if fits else "LEASE_SECONDS" in (errors[0].hint or "")
