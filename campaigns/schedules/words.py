"""Schedules as people read them: “Mondays at 09:00, Asia/Seoul, until 2026-12-31 23:59”."""

from calendar import day_name, month_name
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from campaigns.schedules.crontabs import DAY, HOUR, MINUTE, MONTH, WEEKDAY, Crontab, Field, parse
from campaigns.schedules.moments import Every, Now, Once, Recurring, Schedule
from campaigns.schedules.wall_clock import THEIR_OWN

#: So many times of day are told one by one.
_FEW: Final = 4


def in_words(schedule: Schedule) -> str:
    """When it goes out. Raises `BadCrontab`."""
    match schedule:
        case Now():
            return "at once"
        case Once(at=at, zone=zone):
            return f"{at:%Y-%m-%d at %H:%M}, {_clock(zone)}"
        case Recurring(rule=rule):
            return _rule(rule) + _bounds(schedule)


def _rule(rule: str | Every) -> str:
    if isinstance(rule, str):
        return _crontab(parse(rule))
    unit = rule.unit.value
    return f"every {rule.number} {unit}" if rule.number != 1 else f"every {unit.removesuffix('s')}"


def _bounds(schedule: Recurring) -> str:
    begins = f", from {schedule.starts_at:%Y-%m-%d %H:%M}" if schedule.starts_at else ""
    ends = f", until {schedule.ends_at:%Y-%m-%d %H:%M}" if schedule.ends_at else ""
    return f", {_clock(schedule.zone)}{begins}{ends}"


def _clock(zone: str) -> str:
    return "each recipient's local time" if zone == THEIR_OWN else zone


def _crontab(crontab: Crontab) -> str:
    months = "" if _is_all(crontab.months, MONTH) else f" in {_listed(crontab.months, lambda one: month_name[one])}"
    return f"{_days(crontab)} {_times(crontab)}{months}"


def _days(crontab: Crontab) -> str:
    weekdays = _listed(_from_monday(crontab.weekdays), lambda one: f"{day_name[one - 1]}s")
    days = _listed(crontab.days, str)
    match _is_all(crontab.days, DAY), _is_all(crontab.weekdays, WEEKDAY):
        case True, True:
            return "every day"
        case True, False:
            return weekdays
        case False, True:
            return f"on day {days} of the month"
        case _:
            return f"{weekdays} that are day {days} of the month"


def _times(crontab: Crontab) -> str:
    times = [f"{moment:%H:%M}" for moment in crontab.times()]
    if len(times) <= _FEW:
        return f"at {_joined(times)}"
    hours = "every hour" if _is_all(crontab.hours, HOUR) else f"hour {_listed(crontab.hours, str)}"
    minutes = "every minute" if _is_all(crontab.minutes, MINUTE) else f"minute {_listed(crontab.minutes, str)}"
    return f"at {minutes} of {hours}"


def _from_monday(weekdays: Sequence[int]) -> Sequence[int]:
    """A week as people see it: Monday is 1, Sunday is 7."""
    return sorted(day or 7 for day in weekdays)


def _is_all(numbers: Sequence[int], field: Field) -> bool:
    return len(numbers) == field.size


def _listed(numbers: Sequence[int], named: Callable[[int], str]) -> str:
    """Three or more in a row are told by the first and the last of them."""
    rows: list[list[int]] = [[numbers[0]]]
    for before, after in pairwise(numbers):
        if after == before + 1:
            rows[-1].append(after)
        else:
            rows.append([after])
    parts: list[str] = []
    for row in rows:
        parts += [f"{named(row[0])} to {named(row[-1])}"] if len(row) > 2 else [named(one) for one in row]
    return _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
