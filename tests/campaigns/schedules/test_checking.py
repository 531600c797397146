"""What is wrong with a schedule is told before anything of it starts, and what would be right."""

from datetime import datetime

import pytest

from campaigns.schedules import THEIR_OWN, Every, Now, Once, Recurring, Schedule, check, in_words
from campaigns.vocabulary import EveryUnit
from tests.campaigns.schedules.test_wall_clock import SEOUL, utc, wall

AT = utc("2026-12-01T00:00")
SOON = wall("2026-12-02T09:00")


@pytest.mark.parametrize(
    ("schedule", "field", "message"),
    [
        (Once(wall("2026-12-01T08:59"), SEOUL), "at", "is in the past; in Asia/Seoul it is 2026-12-01 09:00 now"),
        (Once(wall("2026-11-30T11:59"), THEIR_OWN), "at", "has passed everywhere on earth"),
        (Once(wall("2062-12-01T09:00"), SEOUL), "at", "Is the year right?"),
        (Once(wall("0001-01-01T00:00"), SEOUL), "at", "Is the year right?"),
        (Once(wall("9999-12-31T23:59"), SEOUL), "at", "Is the year right?"),
        (Once(SOON, "Mars/Olympus"), "zone", "No time zone is called “Mars/Olympus”"),
        (Recurring("0 9 * * *", "../../etc/passwd"), "zone", "No time zone is called"),
        (Recurring("0 25 * * *", SEOUL), "crontab", "The hour is wrong: “25” is not from 0 to 23"),
        (Recurring("0 0 30 2 *", SEOUL), "crontab", "“0 0 30 2 *” never comes"),
        (Recurring("0 9 29 2 mon", SEOUL), "crontab", "both have to hold"),
        (Recurring("*/10 * * * *", SEOUL), "crontab", "again after 10 min; at least 15 min lie between"),
        (Recurring("0,50 0,23 * * *", SEOUL), "crontab", "again after 10 min"),
        (Recurring(Every(14, EveryUnit.MINUTES), SEOUL, SOON), "every", "again after 14 min"),
        (Recurring(Every(0, EveryUnit.HOURS), SEOUL, SOON), "every", "one of its units at least"),
        (Recurring(Every(2**31, EveryUnit.DAYS), SEOUL, SOON), "every", "366 days at most"),
        (Recurring(Every(10**12, EveryUnit.DAYS), SEOUL, SOON), "every", "366 days at most"),
        (Recurring(Every(6, EveryUnit.HOURS), THEIR_OWN, SOON), "every", "counted in days"),
        (Recurring(Every(1, EveryUnit.DAYS), SEOUL), "starts_at", "give its date and time"),
        (Recurring("0 9 * * *", SEOUL, SOON, wall("2026-12-01T12:00")), "ends_at", "is before the beginning"),
        (Recurring("0 9 * * *", SEOUL, None, wall("2026-12-01T08:00")), "ends_at", "is in the past"),
        (Recurring("0 9 25 12 *", SEOUL, None, wall("2026-12-24T00:00")), "ends_at", "No run would begin before"),
    ],
)
def test_it_is_told_by_field(schedule: Schedule, field: str, message: str) -> None:
    (problem,) = check(schedule, AT)

    assert problem.field == field
    assert message in problem.message


@pytest.mark.parametrize(
    "schedule",
    [
        Now(AT),
        Once(wall("2026-12-01T09:00"), SEOUL),
        Once(wall("2026-12-01T09:00"), THEIR_OWN),  # past on the first clocks, not on the others
        Recurring("*/15 * * * *", SEOUL),
        Recurring("0 9 29 2 *", SEOUL),
        Recurring("0 9 * * *", SEOUL, wall("2026-01-01T00:00"), wall("2026-12-01T09:00")),
        Recurring(Every(15, EveryUnit.MINUTES), SEOUL, wall("2026-01-01T00:00")),
        Recurring(Every(2, EveryUnit.DAYS), THEIR_OWN, SOON),
    ],
)
def test_nothing_is_wrong_with_these(schedule: Schedule) -> None:
    assert check(schedule, AT) == []


END = datetime(2026, 12, 31, 23, 59)  # noqa: DTZ001 - on a wall


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Now(AT), "at once"),
        (Once(SOON, SEOUL), "2026-12-02 at 09:00, Asia/Seoul"),
        (Once(SOON, THEIR_OWN), "2026-12-02 at 09:00, each recipient's local time"),
        (Recurring("0 9 * * 1", SEOUL, None, END), "Mondays at 09:00, Asia/Seoul, until 2026-12-31 23:59"),
        (Recurring("0 9 * * *", SEOUL, SOON), "every day at 09:00, Asia/Seoul, from 2026-12-02 09:00"),
        (Recurring("0 9,18 * * mon-fri", SEOUL), "Mondays to Fridays at 09:00 and 18:00, Asia/Seoul"),
        (Recurring("0 9 * * sat,7", SEOUL), "Saturdays and Sundays at 09:00, Asia/Seoul"),
        (Recurring("30 8 1,15 */6 *", SEOUL), "on day 1 and 15 of the month at 08:30 in January and July, Asia/Seoul"),
        (Recurring("0 9 1-7 * mon", SEOUL), "Mondays that are day 1 to 7 of the month at 09:00, Asia/Seoul"),
        (
            Recurring("*/20 9-17 * * *", SEOUL),
            "every day at minute 0, 20 and 40 of hour 9 to 17, Asia/Seoul",
        ),
        (Recurring("*/15 * * * *", SEOUL), "every day at minute 0, 15, 30 and 45 of every hour, Asia/Seoul"),
        (Recurring(Every(1, EveryUnit.DAYS), SEOUL, SOON), "every day, Asia/Seoul, from 2026-12-02 09:00"),
        (Recurring(Every(36, EveryUnit.HOURS), SEOUL, SOON), "every 36 hours, Asia/Seoul, from 2026-12-02 09:00"),
    ],
)
def test_people_read_when_it_goes_out(schedule: Schedule, words: str) -> None:
    assert in_words(schedule) == words
