"""Frequency caps, counted atomically: two campaigns at once never give anybody more than they may get.

For each cap and person Redis keeps when messages leave, or are to leave, as far back as the cap looks. One script for a
whole chunk of people looks and counts in one go, so nobody comes in between. A message is known there by its
notification and channel: counted twice, it counts once. So a chunk that is planned again changes nothing.

Whom Redis knows nothing of (it was emptied, or a cap is new) is counted from the log first. If Redis does not answer,
the log alone is asked: what others are planning at the same moment is not in it yet, which is the price of going on.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from redis.exceptions import RedisError

from accounts.channels import Channel
from accounts.models import Cap, Category
from accounts.zones import zone_of
from notifications.ledger import capping
from notifications.ledger.capping import Counted
from notifications.planning.rules.caps import LONGEST_HOLD, Full, Granted, Want, capped, first_room, wants
from notifications.planning.rules.quiet_hours import Sleeper, silence
from notifications.planning.values import CapRule, Facts, Hold, Plan
from notifications.redis_client import client

log = structlog.get_logger(__name__)

#: How often a message is moved out of a night: into the next one at most, unless hardly an hour is left.
_NIGHTS: Final = 4
#: By how much a worker's clock, or its turn, may be behind another's. What one could still ask for is not forgotten.
_BEHIND: Final = timedelta(minutes=1)
#: Seconds for which it is remembered that somebody was counted from the log: longer than any cap looks back.
_KNOWN_FOR: Final = int(timedelta(days=32).total_seconds())

#: ARGV: the moment now, "1" to look without counting, seconds that others may be behind, and JSON: a list of messages,
#: each with its name, moment, latest moment, whether it only counts, and its caps as key, most, window; numbers are
#: seconds. Gives, for each, its moment as text, or the number of the cap that is full as "-1", "-2" …
#: The same rule as `first_room` and `fits` in planning/rules/caps.py, which say it in words.
_COUNT: Final = """
local now, peeks, behind, messages = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3]), cjson.decode(ARGV[4])
local function near(key, from, to)
  local found = redis.call('ZRANGEBYSCORE', key, '(' .. string.format('%.6f', from), '(' .. string.format('%.6f', to))
  local scores = {}
  for i, member in ipairs(found) do scores[i] = tonumber(redis.call('ZSCORE', key, member)) end
  return scores
end
local function fits(key, most, window, at)
  local scores = near(key, at - window, at + window)
  table.insert(scores, at)
  table.sort(scores)
  for i = 1, #scores - most do
    if scores[i + most] - scores[i] < window - 0.000001 then return false end
  end
  return true
end
local function first_room(key, most, window, at, latest)
  if fits(key, most, window, at) then return at end
  for _, one in ipairs(near(key, at - window, latest)) do
    local moment = one + window
    if moment > at and moment <= latest and fits(key, most, window, moment) then return moment end
  end
  return nil
end
local answers = {}
for i, message in ipairs(messages) do
  local name, at, latest, counts_only, caps = message[1], message[2], message[3], message[4], message[5]
  local full = nil
  local before = redis.call('ZSCORE', caps[1][1], name)
  if before then
    at = tonumber(before)
  elseif not counts_only then
    local moved = true
    while moved and not full do
      moved = false
      for number, cap in ipairs(caps) do
        local moment = first_room(cap[1], cap[2], cap[3], at, latest)
        if not moment then full = number break end
        if moment > at then at, moved = moment, true end
      end
    end
  end
  if full then
    answers[i] = tostring(-full)
  else
    answers[i] = string.format('%.6f', at)
    if not peeks then
      for _, cap in ipairs(caps) do
        redis.call('ZREMRANGEBYSCORE', cap[1], '-inf', string.format('%.6f', now - cap[3] - behind))
        redis.call('ZADD', cap[1], 'NX', string.format('%.6f', at), name)
        local rest = math.ceil((math.max(at, now) - now + cap[3] + behind) * 1000)
        if redis.call('PTTL', cap[1]) < rest then redis.call('PEXPIRE', cap[1], rest) end
      end
    end
  end
end
return answers
"""


def counted(decided: Plan, facts: Facts, notification_id: UUID, at: datetime, *, peek: bool = False) -> Plan:
    """The plan with what would be too many dropped or put off, and the rest counted; `peek` counts nothing."""
    asked = wants(decided, facts, at)
    if not asked:
        return decided
    names = {want.place: f"{notification_id} {decided.decisions[want.place].candidate.channel}" for want in asked}
    try:
        _make_known(asked, at)
        answers = _ask(asked, names, at, peek=peek)
        for _ in range(_NIGHTS):
            asleep = [later for want in asked if (later := _after_the_night(want, answers[want.place], decided, facts))]
            if not asleep:
                break
            _forget(asleep, names)
            answers |= _ask(asleep, names, at, peek=peek)
    except RedisError as error:
        log.warning("caps.from_log", error=type(error).__name__)
        answers = _from_log(asked, at)
    return capped(decided, answers, facts.policy, at)


def give_back(decided: Plan, facts: Facts, notification_id: UUID, at: datetime) -> None:
    """What was counted for a plan that was not written after all counts no more."""
    asked = wants(decided, facts, at)
    if not asked:
        return
    try:
        _forget(
            asked, {one.place: f"{notification_id} {decided.decisions[one.place].candidate.channel}" for one in asked}
        )
    except RedisError as error:
        log.warning("caps.not_given_back", error=type(error).__name__)


def forget(everybody: Sequence[str]) -> None:
    """Nothing is known of these people any more. Raises `RedisError`.

    Their keys follow from the caps that there are; what was counted for a cap that is gone ends by itself.
    """
    columns = ("category_id", "channel", "most", "hours")
    rules = [
        CapRule(category_id, Channel(channel) if channel else None, most, timedelta(hours=hours))
        # in the order in which a category has them
        for category_id, channel, most, hours in Cap.objects.order_by("hours", "channel", "id").values_list(*columns)
    ]
    together = {
        tuple(rule for rule in rules if rule.category_id in (None, category_id) and rule.channel in (None, channel))
        for category_id in Category.objects.values_list("id", flat=True)
        for channel in Channel
    }
    prefixes = [*map(_prefix, rules), *map(_flag_prefix, together)]
    if rules:
        client().delete(*(prefix + _hashed(who) for prefix in prefixes for who in everybody))


def _forget(asked: Sequence[Want], names: Mapping[int, str]) -> None:
    with client().pipeline(transaction=False) as pipe:
        for want in asked:
            for rule in want.rules:
                pipe.zrem(_key(rule, want.who), names[want.place])
        pipe.execute()


def _after_the_night(want: Want, answer: Granted | Full, decided: Plan, facts: Facts) -> Want | None:
    """What asks for the morning instead, where a cap would put a message off into quiet hours."""
    if not isinstance(answer, Granted) or answer.at <= want.at:
        return None
    person = decided.decisions[want.place].candidate.person
    zone = zone_of(person.time_zone, person.country, facts.usual_zone)
    spoken = silence(facts.policy, Sleeper(want.who, zone, person.quiet), answer.at)
    return replace(want, at=spoken.until) if isinstance(spoken, Hold) else None


def _ask(asked: Sequence[Want], names: Mapping[int, str], at: datetime, *, peek: bool) -> dict[int, Granted | Full]:
    messages, spelled = list[Any](), dict[int, Sequence[tuple[str, int, float]]]()
    for want in asked:
        # people share their caps, of which everything but the person is spelled once
        if id(want.rules) not in spelled:
            spelled[id(want.rules)] = [(_prefix(rule), rule.most, rule.window.total_seconds()) for rule in want.rules]
        person = _hashed(want.who)
        caps = [(prefix + person, most, seconds) for prefix, most, seconds in spelled[id(want.rules)]]
        messages.append((names[want.place], want.at.timestamp(), want.until.timestamp(), want.counts_only, caps))
    script = client().register_script(_COUNT)
    behind = int(_BEHIND.total_seconds())
    told = script([], [f"{at.timestamp():.6f}", "1" if peek else "0", behind, msgspec.json.encode(messages)])
    return {want.place: _answer(want, float(one)) for want, one in zip(asked, told, strict=True)}


def _answer(want: Want, said: float) -> Granted | Full:
    if said < 0:
        return Full(want.rules[int(-said) - 1])
    moment = datetime.fromtimestamp(said, UTC)
    # a moment went to Redis and back as a number; what did not move is the very one that was asked for
    return Granted(want.at if abs((moment - want.at).total_seconds()) < 0.001 else moment)


def _make_known(asked: Iterable[Want], at: datetime) -> None:
    """Count those from the log of whom Redis knows nothing, before anything is counted for them."""
    # somebody's text message may be counted by other caps than their email
    people = {(want.who, id(want.rules)): want for want in asked if want.recipient_id}
    spelled = {id(rules): _flag_prefix(rules) for rules in {id(one.rules): one.rules for one in asked}.values()}
    flags = {(who, rules): spelled[rules] + _hashed(who) for who, rules in people}
    standing = client().mget(list(flags.values())) if flags else []
    unknown = [people[one] for one, known in zip(flags, standing, strict=True) if known is None]
    if not unknown:
        return
    past = _past(unknown, at)
    with client().pipeline(transaction=False) as pipe:
        for want in unknown:
            for rule, taken in _fitting(want, past.get(want.who, ())):
                if taken:
                    key, last = _key(rule, want.who), max(at, *(one.at for one in taken))
                    pipe.zadd(key, {one.name: one.at.timestamp() for one in taken}, nx=True)
                    pipe.pexpire(key, last - at + rule.window + _BEHIND)
        # only now: whoever comes meanwhile counts them as well, to the same end
        for want in unknown:
            pipe.set(flags[want.who, id(want.rules)], 1, ex=_KNOWN_FOR)
        pipe.execute()


def _from_log(asked: Sequence[Want], at: datetime) -> dict[int, Granted | Full]:
    past = _past([want for want in asked if want.recipient_id], at)
    taken: defaultdict[tuple[CapRule, str], list[float]] = defaultdict(list)
    for want in asked:
        for rule, found in _fitting(want, past.get(want.who, ())):
            if not taken[rule, want.who]:
                taken[rule, want.who] = sorted(one.at.timestamp() for one in found)
    answers: dict[int, Granted | Full] = {}
    for want in asked:
        answers[want.place] = answer = _room(want, taken)
        if isinstance(answer, Granted):
            for rule in want.rules:
                taken[rule, want.who] = sorted([*taken[rule, want.who], answer.at.timestamp()])
    return answers


def _room(want: Want, taken: Mapping[tuple[CapRule, str], Sequence[float]]) -> Granted | Full:
    moment, moved = want.at.timestamp(), not want.counts_only
    while moved:
        moved = False
        for rule in want.rules:
            room = first_room(taken[rule, want.who], rule.most, rule.window.total_seconds(), moment)
            if room > want.until.timestamp():
                return Full(rule)
            moved, moment = moved or room > moment, room
    return _answer(want, moment) if moment != want.at.timestamp() else Granted(want.at)


def _past(people: Sequence[Want], at: datetime) -> dict[str, list[Counted]]:
    longest = max((rule.window for want in people for rule in want.rules), default=timedelta(0))
    found: defaultdict[str, list[Counted]] = defaultdict(list)
    ids = {want.recipient_id for want in people if want.recipient_id}
    for one in capping.since(list(ids), at - longest, planned_since=at - longest - LONGEST_HOLD):
        found[str(one.recipient_id)].append(one)
    return found


def _fitting(want: Want, past: Sequence[Counted]) -> list[tuple[CapRule, list[Counted]]]:
    """What of somebody's past each cap counts."""
    return [
        (
            rule,
            [
                one
                for one in past
                if rule.category_id in (None, one.category_id) and rule.channel in (None, one.channel)
            ],
        )
        for rule in want.rules
    ]


def _key(rule: CapRule, who: str) -> str:
    return _prefix(rule) + _hashed(who)


def _prefix(rule: CapRule) -> str:
    return f"cap:{rule.category_id or '*'}:{rule.channel or '*'}:{int(rule.window.total_seconds())}:"


def _flag_prefix(rules: Iterable[CapRule]) -> str:
    """Begins the key that says that somebody was counted from the log, for just these caps."""
    return f"cap:known:{sha256(' '.join(map(_prefix, rules)).encode()).hexdigest()[:12]}:"


def _hashed(who: str) -> str:
    """Contacts given inline are addresses, which stand nowhere in the open."""
    return sha256(who.encode()).hexdigest()[:24]
