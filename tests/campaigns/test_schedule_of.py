"""A campaign's row is read as a schedule, and what is wrong with it is told by the names of its fields."""

from datetime import time, timedelta
from typing import Any

import pytest

from campaigns.models import Campaign
from campaigns.schedule_of import late_limit_of, problems_of, schedule_of, unasked, window_of
from campaigns.schedules import THEIR_OWN, Every, Now, Once, Recurring, Schedule, Window
from campaigns.vocabulary import EveryUnit, ScheduleKind
from tests.campaigns.scheduled import NOON
from tests.campaigns.schedules.test_wall_clock import SEOUL, wall

NOW, ONCE, CRONTAB, INTERVAL = ScheduleKind.NOW, ScheduleKind.ONCE, ScheduleKind.CRONTAB, ScheduleKind.INTERVAL
EVE = "2026-12-24T09:00"


@pytest.mark.parametrize(
    ("row", "schedule"),
    [
        ({"schedule_kind": NOW}, Now(NOON)),
        ({"schedule_kind": ONCE, "starts_wall": EVE}, Once(wall(EVE), SEOUL)),
        ({"schedule_kind": ONCE, "starts_wall": EVE, "in_local_time": True}, Once(wall(EVE), THEIR_OWN)),
        ({"schedule_kind": CRONTAB, "crontab": "0 9 * * 1"}, Recurring("0 9 * * 1", SEOUL)),
        (
            {"schedule_kind": CRONTAB, "crontab": "0 9 * * 1", "zone": "Europe/London", "ends_wall": EVE},
            Recurring("0 9 * * 1", "Europe/London", None, wall(EVE)),
        ),
        (
            {"schedule_kind": INTERVAL, "every": 2, "every_unit": "days", "starts_wall": EVE},
            Recurring(Every(2, EveryUnit.DAYS), SEOUL, wall(EVE)),
        ),
    ],
)
def test_a_row_says_when(row: dict[str, Any], schedule: Schedule) -> None:
    assert schedule_of(Campaign(**row), NOON) == schedule
    assert problems_of(Campaign(**row), NOON) == []


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ({"schedule_kind": NOW, "zone": "Mars"}, "zone", "No time zone is called “Mars”"),
        ({"schedule_kind": ONCE}, "starts_wall", "Say when it begins, such as 2026-12-24T09:00."),
        ({"schedule_kind": ONCE, "starts_wall": "tomorrow"}, "starts_wall", "“tomorrow” is no date and time."),
        ({"schedule_kind": ONCE, "starts_wall": "2026-02-30T09:00"}, "starts_wall", "is no date and time"),
        ({"schedule_kind": ONCE, "starts_wall": "2026-11-30T09:00"}, "starts_wall", "is in the past"),
        ({"schedule_kind": CRONTAB, "crontab": "0 0 30 2 *"}, "crontab", "never comes"),
        ({"schedule_kind": CRONTAB}, "crontab", "has five fields"),
        ({"schedule_kind": CRONTAB, "crontab": "0 9 * * *", "ends_wall": "x"}, "ends_wall", "is no date and time"),
        ({"schedule_kind": CRONTAB, "crontab": "0 9 * * *", "ends_wall": "2026-11-30T09:00"}, "ends_wall", "past"),
        ({"schedule_kind": CRONTAB, "crontab": "0 9 * * *", "zone": "Mars"}, "zone", "No time zone"),
        ({"schedule_kind": INTERVAL, "every": 2, "every_unit": "days"}, "starts_wall", "Say when it begins"),
        ({"schedule_kind": INTERVAL, "every_unit": "days", "starts_wall": EVE}, "every", "after how many"),
        ({"schedule_kind": INTERVAL, "every": 2, "starts_wall": EVE}, "every_unit", "minutes, hours or days"),
        (
            {"schedule_kind": INTERVAL, "every": 2, "every_unit": "hours", "starts_wall": EVE, "in_local_time": True},
            "every",
            "counted in days",
        ),
    ],
)
def test_what_is_wrong_is_told_by_the_field_of_the_row(row: dict[str, Any], field: str, message: str) -> None:
    (problem,) = problems_of(Campaign(**row), NOON)

    assert problem.field == field
    assert message in problem.message


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ({"schedule_kind": NOW}, set()),
        ({"schedule_kind": NOW, "zone": "Europe/London", "window_from": time(9), "late_hours": 1}, set()),
        ({"schedule_kind": NOW, "in_local_time": True, "starts_wall": EVE}, {"in_local_time", "starts_wall"}),
        ({"schedule_kind": ONCE, "starts_wall": EVE, "crontab": "0 9 * * *", "every": 2}, {"crontab", "every"}),
        ({"schedule_kind": CRONTAB, "crontab": "0 9 * * *", "ends_wall": EVE, "every_unit": "days"}, {"every_unit"}),
        ({"schedule_kind": INTERVAL, "every": 2, "every_unit": "days", "crontab": "0 9 * * *"}, {"crontab"}),
    ],
)
def test_what_another_kind_of_schedule_would_ask_for_is_told(row: dict[str, Any], fields: set[str]) -> None:
    assert {one.field for one in unasked(Campaign(**row))} == fields


def test_the_window_and_the_limit_are_values() -> None:
    assert window_of(Campaign()) is None
    assert window_of(Campaign(window_from=time(9), window_until=time(18))) == Window(time(9), time(18))
    assert late_limit_of(Campaign(late_hours=3)) == timedelta(hours=3)
