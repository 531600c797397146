"""Five fields are read as people mean them; what cannot be read is told by field, with what would be right."""

import re
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from celery.schedules import crontab as celerys
from hypothesis import given
from hypothesis import strategies as st

from campaigns.schedules.crontabs import BadCrontab, Crontab, parse

TODAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("field", "word", "numbers"),
    [
        ("minutes", "*/15", (0, 15, 30, 45)),
        ("minutes", "5,0,5", (0, 5)),
        ("hours", "9-17/4", (9, 13, 17)),
        ("hours", "22-2", (0, 1, 2, 22, 23)),
        ("days", "1-7,15", (1, 2, 3, 4, 5, 6, 7, 15)),
        ("months", "mar-may,December", (3, 4, 5, 12)),
        ("months", "nov-feb", (1, 2, 11, 12)),
        ("weekdays", "mon-fri", (1, 2, 3, 4, 5)),
        ("weekdays", "7", (0,)),
        ("weekdays", "0", (0,)),
        ("weekdays", "6-7", (0, 6)),
        ("weekdays", "fri-mon", (0, 1, 5, 6)),
        ("weekdays", "7-2", (0, 1, 2)),
        ("weekdays", "SUNDAY", (0,)),
    ],
)
def test_a_field_is_read(field: str, word: str, numbers: tuple[int, ...]) -> None:
    words = {"minutes": "0", "hours": "0", "days": "*", "months": "*", "weekdays": "*"} | {field: word}

    assert getattr(parse(" ".join(words.values())), field) == numbers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has five fields (minute, hour, day of the month, month, day of the week); this one has 0"),
        ("@daily", "this one has 1"),
        ("0 9 * * * *", "this one has 6"),
        ("60 9 * * *", "The minute is wrong: “60” is not from 0 to 59. Right would be 0, 0,30 or */15."),
        ("0 24 * * *", "The hour is wrong: “24” is not from 0 to 23."),
        ("0 jan * * *", "The hour is wrong: “jan” is no hour."),
        ("0 9 0 * *", "The day of the month is wrong: “0” is not from 1 to 31."),
        ("0 9 * 13 *", "The month is wrong: “13” is not from 1 to 12."),
        ("0 9 * monday *", "The month is wrong: “monday” is no month."),
        ("0 9 * * 8", "The day of the week is wrong: “8” is not from 0 to 7."),
        ("0 9 * * mon#1", "The day of the week is wrong: “mon#1” cannot be read."),
        ("*/0 9 * * *", "The minute is wrong: “*/0” has a step of nothing."),
        ("*/90 * * * *", "The minute is wrong: “*/90” has a step of 90, and only 60 to walk."),
        ("0/15 9 * * *", "The minute is wrong: “0/15” has a step, but no range to walk."),
        ("1-5/2/3 9 * * *", "“1-5/2/3” cannot be read"),
        ("-1 9 * * *", "“-1” cannot be read"),
        ("0, 9 * * *", "The minute is wrong: “” cannot be read"),
        ("0 9 ١ * *", "“١” cannot be read"),
        ("0 9 * * *" + " " * 500, "at most 400 characters"),
        ("9" * 5000 + " 9 * * *", "at most 400 characters"),
    ],
)
def test_what_cannot_be_read_is_told_by_field(text: str, message: str) -> None:
    with pytest.raises(BadCrontab, match=re.escape(message)):
        parse(text)


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 9 31 4,6 *", "0 9 29 2 mon"])
def test_a_day_that_never_comes_is_looked_for_no_longer_than_eight_years(text: str) -> None:
    assert list(parse(text).dates(TODAY)) == []


def test_a_leap_day_is_found_even_over_the_turn_of_a_century() -> None:
    assert next(parse("0 9 29 2 *").dates(date(2096, 3, 1))) == date(2104, 2, 29)


def test_where_day_and_weekday_are_given_both_hold() -> None:
    first_mondays = parse("0 9 1-7 * mon").dates(TODAY)

    assert [next(first_mondays) for _ in range(3)] == [date(2026, 12, 7), date(2027, 1, 4), date(2027, 2, 1)]


@pytest.mark.parametrize(
    ("text", "shortest"),
    [
        ("*/15 * * * *", 15),
        ("* * * * *", 1),
        ("0,50 9 * * *", 50),
        ("0,50 9,10 * * *", 10),  # from 9:50 to 10:00
        ("0,50 0,23 * * *", 10),  # over midnight
        ("0,50 0,23 1,15 * *", 50),  # no two days follow each other
        ("0 9 * * *", 24 * 60),
        ("0 9 1 * *", None),
    ],
)
def test_the_shortest_break_is_known(text: str, shortest: int | None) -> None:
    expected = None if shortest is None else timedelta(minutes=shortest)

    assert parse(text).shortest_break(TODAY) == expected


def _field(least: int, greatest: int) -> st.SearchStrategy[str]:
    """What both we and Celery read."""
    number = st.integers(least, greatest)
    part = st.one_of(
        st.just("*"),
        number.map(str),
        st.tuples(number, number).map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.integers(1, min(20, greatest - least + 1)).map(lambda step: f"*/{step}"),
        st.tuples(number, number, st.integers(1, 9)).map(lambda three: f"{three[0]}-{three[1]}/{three[2]}"),
    )
    return st.lists(part, min_size=1, max_size=3).map(",".join)


@given(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 6))
def test_what_celery_reads_means_the_same_here(minute: str, hour: str, day: str, month: str, weekday: str) -> None:
    theirs: Any = celerys(minute, hour, weekday, day, month)

    assert parse(f"{minute} {hour} {day} {month} {weekday}") == Crontab(
        *(
            tuple(sorted(numbers))
            for numbers in (
                theirs.minute,
                theirs.hour,
                theirs.day_of_month,
                theirs.month_of_year,
                theirs.day_of_week,
            )
        )
    )


@given(st.text(max_size=60) | st.text("0123456789*/-, montuejan", max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    with suppress(BadCrontab):
        assert parse(text).minutes
