"""Token buckets: how much an account may send in a second, all workers together.

A bucket is one moment in Redis: the "theoretical arrival time" of the generic cell rate algorithm (ITU-T I.371, annex
A), up to which everything that was sent has been paid for. Each message moves it on by the inverse of the rate; how far
it may run ahead of now is the depth of the bucket. Nothing has to be refilled, and Redis' own clock is the only one.

The depth depends on the urgency: bulk may fill the bucket by half, so that a message that matters finds room in it at
any time, and bulk then waits until that is paid back.

What finds no room is given the moment at which it is its turn: a place in the account's line, of which there is one for
each urgency. If Redis does not answer, nobody is held up: providers refuse what is too fast, and that is heeded.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog
from redis.exceptions import RedisError

from notifications.redis_client import client
from notifications.vocabulary import Urgency

log = structlog.get_logger(__name__)


class Unit(StrEnum):
    """What a bucket counts."""

    MESSAGES = "messages"
    SEGMENTS = "segments"  # the parts of a text message, by which carriers count


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an account may send. Rates are per second, for all workers together; None where there is no limit.

    `at_once`: requests that one worker may have under way.
    """

    messages: float | None = None
    segments: float | None = None
    at_once: int | None = None

    def rate(self, unit: Unit) -> float | None:
        """The rate of a unit per second."""
        return self.messages if unit is Unit.MESSAGES else self.segments


#: Seconds by which a bucket may be ahead of its rate. Of a second's worth, bulk leaves half to what is more urgent.
_DEPTH: Final = {Urgency.CRITICAL: 1.0, Urgency.NORMAL: 0.75, Urgency.BULK: 0.5}
#: Seconds: nobody is told to come back later than after these, because a limit may be raised meanwhile.
LONGEST_LINE: Final = 900.0

#: KEYS: the bucket. ARGV: wanted, rate, depth in seconds. Gives how many may be sent now.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local wanted, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local depth = math.max(tonumber(ARGV[3]), 1 / rate)
local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
if paid > now + math.max(1, 1 / rate) + 1 then -- the clock was set back
  paid = now
end
local granted = math.max(0, math.min(wanted, math.floor((now + depth - paid) * rate + 0.000001)))
if granted > 0 then
  paid = paid + granted / rate
  redis.call('SET', KEYS[1], string.format('%.6f', paid), 'PX', math.ceil((paid - now) * 1000) + 1000)
end
return granted
"""

#: KEYS: the bucket. ARGV: how many come back unused, rate.
_GIVE_BACK: Final = """
local paid = redis.call('GET', KEYS[1])
if paid then
  redis.call('SET', KEYS[1], string.format('%.6f', tonumber(paid) - ARGV[1] / ARGV[2]), 'KEEPTTL')
end
return 0
"""

#: KEYS: a line. ARGV: how many take a place, rate, seconds before which it does not move, the longest wait. Gives, as
#: text, in how many seconds it is the first one's turn.
_LINE_UP: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local written, ends = string.match(redis.call('GET', KEYS[1]) or '0 0', '(%S+) (%S+)')
if tonumber(written) > now + 1 then -- the clock was set back
  ends = '0'
end
ends = math.max(tonumber(ends), now + tonumber(ARGV[3]))
if ends > now + tonumber(ARGV[4]) then
  ends = now + tonumber(ARGV[4]) / 2
end
local after = ends + ARGV[1] / ARGV[2]
redis.call('SET', KEYS[1], string.format('%.6f %.6f', now, after), 'PX', math.ceil((after - now) * 1000) + 1000)
return string.format('%.6f', ends - now)
"""


def take(account: str, unit: Unit, wanted: int, rate: float, urgency: Urgency) -> int:
    """How many of `wanted` may be sent by `account` at this moment; they count as sent."""
    try:
        return int(client().register_script(_TAKE)([_bucket(account, unit)], [wanted, rate, _DEPTH[urgency]]))
    except RedisError as error:
        log.warning("bucket.unread", account=account, error=type(error).__name__)
        return wanted


def give_back(account: str, unit: Unit, unused: int, rate: float) -> None:
    """What was taken and not sent. If that gets lost, the account is idle for as long."""
    try:
        client().register_script(_GIVE_BACK)([_bucket(account, unit)], [unused, rate])
    except RedisError as error:
        log.warning("bucket.unwritten", account=account, error=type(error).__name__)


def line_up(account: str, urgency: Urgency, many: int, rate: float, *, not_before: float = 0.0) -> float:
    """Give `many` deliveries places in the account's line; in how many seconds it is the first one's turn.

    The others follow, so many per second as `rate` says. The line does not move before `not_before` seconds are over.
    """
    try:
        line = client().register_script(_LINE_UP)
        return float(line([f"line:{account}:{urgency}"], [many, rate, not_before, LONGEST_LINE]))
    except RedisError as error:
        log.warning("line.unread", account=account, error=type(error).__name__)
        return not_before


def fill(account: str, limits: Limits) -> dict[Unit, float]:
    """How full each bucket of an account is, from 0 to 1: at 1 nothing is sent. Raises `RedisError`."""
    rates = {unit: rate for unit in Unit if (rate := limits.rate(unit))}
    if not rates:
        return {}
    pipe = client().pipeline(transaction=False)
    pipe.time()
    for unit in rates:
        pipe.get(_bucket(account, unit))
    (seconds, microseconds), *paid = pipe.execute()
    now = seconds + microseconds / 1_000_000
    shares = {}
    for (unit, rate), one in zip(rates.items(), paid, strict=True):
        depth = max(*_DEPTH.values(), 1 / rate)
        shares[unit] = min(1.0, max(0.0, (float(one) - now) / depth)) if one else 0.0
    return shares


def _bucket(account: str, unit: Unit) -> str:
    return f"bucket:{account}:{unit}"
