"""Crontabs: five fields that say at which times of which days something happens, as the clock on a wall shows them.

Read here and not by Celery's own parser, which takes `jan` for an hour, reads only the beginning of `1-5/2/3`, knows no
Sunday called 7, and does not say which field is wrong. Where day and weekday are both given, both have to hold, as
Celery's scheduler has it: `0 9 1-7 * mon` is the first Monday of a month.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from campaigns.schedules.wall_clock import BadSchedule

#: Longer than any that a person writes; a list of all sixty minutes has 169.
_LONGEST: Final = 400
#: Years in which a crontab must come true: a leap day may be eight years away (2096, 2104).
HORIZON_YEARS: Final = 8
_DAY: Final = timedelta(days=1)
_WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_PART: Final = re.compile(r"(?:(\*)|([0-9]{1,4}|[a-z]+)(?:-([0-9]{1,4}|[a-z]+))?)(?:/([0-9]{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five: what it is called, its least and greatest number, what some numbers are called, an example."""

    name: str
    least: int
    greatest: int
    example: str
    names: Mapping[str, int]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.greatest - self.least + 1


def _called(names: tuple[str, ...], least: int) -> Mapping[str, int]:
    """The numbers by their names, whole or their first three letters."""
    return {name[:length]: number for number, name in enumerate(names, least) for length in (3, len(name))}


MINUTE: Final = Field("minute", 0, 59, "0, 0,30 or */15", {})
HOUR: Final = Field("hour", 0, 23, "9, 9,18 or 9-17/2", {})
DAY: Final = Field("day of the month", 1, 31, "*, 1,15 or 1-7", {})
MONTH: Final = Field("month", 1, 12, "*, 12, mar-may or */3", _called(_MONTHS, 1))
WEEKDAY: Final = Field("day of the week", 0, 6, "*, mon, mon-fri or 0,6", _called(_WEEKDAYS, 0))
FIELDS: Final = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


class BadCrontab(BadSchedule):
    """A crontab that cannot be read; the message says which field is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class Crontab:
    """The times of day, and the days, of a crontab; every tuple in ascending order. Weekdays: 0 is Sunday."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def times(self) -> Iterator[time]:
        """The times of a day on which it comes true."""
        return (time(hour, minute) for hour in self.hours for minute in self.minutes)

    def dates(self, first: date) -> Iterator[date]:
        """The days from `first` on, within the horizon: an end there is, however impossible the fields."""
        for year in range(first.year, min(first.year + HORIZON_YEARS, date.max.year) + 1):
            for month in self.months:
                if (year, month) >= (first.year, first.month):
                    yield from (day for day in self._of_month(year, month) if day >= first)

    def walls(self, first: datetime) -> Iterator[datetime]:
        """The times that the clock on the wall shows when it comes true, from `first` on, within the horizon."""
        for day in self.dates(first.date()):
            for moment in self.times():
                wall = datetime.combine(day, moment)
                if wall >= first:
                    yield wall

    def shortest_break(self, first: date) -> timedelta | None:
        """The shortest time between one and the next, as the clock on the wall shows it; None where it comes once."""
        minutes = [moment.hour * 60 + moment.minute for moment in self.times()]
        breaks = [after - before for before, after in pairwise(minutes)]
        if any(after - before == _DAY for before, after in pairwise(self.dates(first))):
            breaks.append(minutes[0] + 24 * 60 - minutes[-1])
        return timedelta(minutes=min(breaks)) if breaks else None

    def _of_month(self, year: int, month: int) -> Iterator[date]:
        for number in self.days:
            try:
                day = date(year, month, number)
            except ValueError:  # a month without that day
                return
            if day.isoweekday() % 7 in self.weekdays:
                yield day


@lru_cache(maxsize=1024)
def parse(text: str) -> Crontab:
    """What a crontab of five fields means. Raises `BadCrontab`."""
    if len(text) > _LONGEST:
        raise BadCrontab(f"A crontab has at most {_LONGEST} characters; this one has {len(text)}.")
    words = text.lower().split()
    if len(words) != len(FIELDS):
        raise BadCrontab(
            f"A crontab has five fields (minute, hour, day of the month, month, day of the week); this one has "
            f"{len(words)}. Mondays at nine would be: 0 9 * * mon"
        )
    return Crontab(*(_numbers(word, field) for word, field in zip(words, FIELDS, strict=True)))


def _numbers(word: str, field: Field) -> tuple[int, ...]:
    """The numbers for which a field stands."""
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise _wrong(part, field, "cannot be read")
        star, first, last, step = match.groups()
        if step and int(step) == 0:
            raise _wrong(part, field, "has a step of nothing")
        if step and not (star or last):
            raise _wrong(part, field, "has a step, but no range to walk")
        walked = _range(star, first, last, field)
        # */90 looks like every ninety minutes, and would be every hour
        if star and step and int(step) > field.size:
            raise _wrong(part, field, f"has a step of {step[:9]}, and only {field.size} to walk")
        found.update(walked[:: int(step or 1)])
    return tuple(sorted(found))


def _range(star: str | None, first: str, last: str | None, field: Field) -> list[int]:
    """All the numbers from the first to the last; what ends before it begins goes on from the least: fri-mon."""
    if star:
        return list(range(field.least, field.greatest + 1))
    begin = _number(first, field)
    # a Sunday may be called 7, and is so at the end of a range
    begin = 0 if field is WEEKDAY and begin == 7 else begin
    end = begin if last is None else _number(last, field)
    if end < begin:
        end += field.size
    return [field.least + (number - field.least) % field.size for number in range(begin, end + 1)]


def _number(word: str, field: Field) -> int:
    if word in field.names:
        return field.names[word]
    if not word.isdecimal():
        raise _wrong(word, field, f"is no {field.name}")
    greatest = 7 if field is WEEKDAY else field.greatest
    if not field.least <= int(word) <= greatest:
        raise _wrong(word, field, f"is not from {field.least} to {greatest}")
    return int(word)


def _wrong(part: str, field: Field, why: str) -> BadCrontab:
    return BadCrontab(f"The {field.name} is wrong: “{part[:40]}” {why}. Right would be {field.example}.")
