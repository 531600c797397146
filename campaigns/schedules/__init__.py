"""WHEN: schedules, the clock on the wall, and what becomes of missed moments. Pure: no Django, no clock, no I/O."""

from campaigns.schedules.checking import Problem, check
from campaigns.schedules.crontabs import BadCrontab
from campaigns.schedules.lateness import Due, Skipped, due
from campaigns.schedules.moments import (
    Every,
    Now,
    Once,
    Recurring,
    Schedule,
    between,
    first_moment,
    next_after,
    next_from,
)
from campaigns.schedules.pacing import Pace, Seats, Wish, seated
from campaigns.schedules.wall_clock import (
    SPAN,
    THEIR_OWN,
    BadSchedule,
    UnknownZone,
    Window,
    local_due,
    local_moment,
    moment_of,
    span_of,
    wall_at,
    wall_everywhere,
    within,
    zone_named,
)
from campaigns.schedules.words import in_words

__all__ = [
    "SPAN",
    "THEIR_OWN",
    "BadCrontab",
    "BadSchedule",
    "Due",
    "Every",
    "Now",
    "Once",
    "Pace",
    "Problem",
    "Recurring",
    "Schedule",
    "Seats",
    "Skipped",
    "UnknownZone",
    "Window",
    "Wish",
    "between",
    "check",
    "due",
    "first_moment",
    "in_words",
    "local_due",
    "local_moment",
    "moment_of",
    "next_after",
    "next_from",
    "seated",
    "span_of",
    "wall_at",
    "wall_everywhere",
    "within",
    "zone_named",
]
