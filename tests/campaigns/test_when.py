"""Moments and lengths of time as the pages of campaigns tell them."""

from datetime import timedelta

import pytest

from campaigns.admin.when import in_a_while

LENGTHS = [
    (0, "0 seconds"),
    (1.2, "1 second"),
    (41, "41 seconds"),
    (59.7, "1 minute"),
    (119, "2 minutes"),
    (85 * 60, "1 h 25 min"),
    (3600, "1 hour"),
    (3599, "1 hour"),
    (2 * 3600 - 1, "2 hours"),
    (86_399, "1 day"),
    (51 * 3600 + 900, "2 days 3 h"),
    (72 * 3600, "3 days"),
]


@pytest.mark.parametrize(("seconds", "told"), LENGTHS, ids=[told for _, told in LENGTHS])
def test_a_length_of_time_is_told_with_what_is_over_of_its_unit(seconds: float, told: str) -> None:
    assert in_a_while(timedelta(seconds=seconds)) == told
