"""At night, and whenever people want to be left alone, messages wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

from accounts.zones import zone_of
from notifications.planning.values import Candidate, Drop, Facts, Hold, Policy, QuietHours
from notifications.vocabulary import Reason

#: Windows may follow each other; two of them cannot more often than this, unless they leave no hour of the day.
_ROUNDS: Final = 4
_SECOND: Final = timedelta(seconds=1)


def quiet(candidate: Candidate, facts: Facts, at: datetime) -> Hold | Drop | None:
    """Hold what would come in quiet hours, the category's or the person's own, until they end.

    They are read off the clock where the person is. What waited goes out over `policy.quiet_spread`, everybody at a
    moment of their own. What expires before that is dropped. Critical categories do not wait.
    """
    policy, person = facts.policy, candidate.person
    if policy.is_critical or not (policy.quiet or person.quiet):
        return None
    zone = zone_of(person.time_zone, person.country, facts.usual_zone)
    who = Sleeper(f"{person.recipient_id or person.ref}", zone, person.quiet)
    match silence(policy, who, max(at, facts.send_at or at)):
        case Hold(until=until) as hold if facts.expires_at and until >= facts.expires_at:
            expiry = facts.expires_at.astimezone(zone)
            rule = hold.detail.partition(";")[0]
            return Drop(Reason.EXPIRED, f"{rule}; it expires at {expiry:%Y-%m-%d %H:%M}, before they end")
        case spoken:
            return spoken


@dataclass(frozen=True, slots=True)
class Sleeper:
    """Whose quiet hours they are: a name that stays the same, where they are, and hours of their own."""

    name: str
    zone: ZoneInfo
    quiet: QuietHours | None


def silence(policy: Policy, who: Sleeper, at: datetime) -> Hold | Drop | None:
    """What becomes of a message of this category that would reach somebody at `at`; None where nothing is quiet."""
    windows = tuple([window for window in (policy.quiet, who.quiet) if window])
    if policy.is_critical or not windows:
        return None
    ends_at = _known_end(at, windows, who.zone)
    if ends_at is None:
        return Drop(Reason.QUIET_HOURS, "quiet hours leave no hour of the day")
    if ends_at == at:
        return None
    until = _spread(ends_at, policy.quiet_spread, who.name)
    if until != ends_at and any(is_quiet(until, window, who.zone) for window in windows):
        until = ends_at
    due = until.astimezone(who.zone).isoformat(" ", "minutes")[:16]
    detail = f"held by quiet hours {_in_words(windows)} {who.zone.key}, category {policy.name}; due {due}"
    return Hold(until, Reason.QUIET_HOURS, detail)


def is_quiet(at: datetime, window: QuietHours, zone: ZoneInfo) -> bool:
    """Whether the clock on the wall shows a time in the window. Its first minute is quiet, its last is not."""
    now = at.astimezone(zone).time()
    if window.start < window.end:
        return window.start <= now < window.end
    return now >= window.start or now < window.end


def end_of_quiet(at: datetime, windows: Sequence[QuietHours], zone: ZoneInfo) -> datetime | None:
    """The first moment from `at` on that lies in none of the windows; None where there is none."""
    moment = at
    for _ in range(_ROUNDS):
        holding = next((window for window in windows if is_quiet(moment, window, zone)), None)
        if holding is None:
            return moment
        moment = _end(moment, holding, zone)
    return None


#: A chunk has one moment, and few windows and zones.
_known_end: Final = lru_cache(256)(end_of_quiet)


@lru_cache(256)
def _in_words(windows: tuple[QuietHours, ...]) -> str:
    return " and ".join(f"{window.start:%H:%M}-{window.end:%H:%M}" for window in windows)


def _end(at: datetime, window: QuietHours, zone: ZoneInfo) -> datetime:
    """When the window ends in which `at` lies."""
    local = at.astimezone(zone)
    day = local.date()
    if window.start > window.end and local.time() >= window.start:
        day += timedelta(days=1)
    ends_at = datetime.combine(day, window.end, tzinfo=zone).astimezone(at.tzinfo)
    if ends_at <= at:
        # in the second of two hours that the clock shows twice, when it is set back
        ends_at = datetime.combine(day, window.end, tzinfo=zone).replace(fold=1).astimezone(at.tzinfo)
    if ends_at.astimezone(zone).time() != window.end:
        # the clock is set forward over that time: the window ends with the jump
        ends_at = _jump(at, ends_at, window, zone)
    return ends_at


def _jump(quiet_at: datetime, loud_at: datetime, window: QuietHours, zone: ZoneInfo) -> datetime:
    """The first second after `quiet_at` that is not in the window, `loud_at` being such a one."""
    while loud_at - quiet_at > _SECOND:
        middle = quiet_at + (loud_at - quiet_at) / 2
        if is_quiet(middle, window, zone):
            quiet_at = middle
        else:
            loud_at = middle
    return loud_at.replace(microsecond=0)


def _spread(start: datetime, over: timedelta, who: str) -> datetime:
    """A moment from `start` on, within `over`: always the same for the same person and morning."""
    seconds = int(over.total_seconds())
    if seconds < 1:
        return start
    digest = blake2b(f"{who} {start.timestamp():.0f}".encode(), digest_size=4).digest()
    return start + timedelta(seconds=int.from_bytes(digest, "big") % seconds)
