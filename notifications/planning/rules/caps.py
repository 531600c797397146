"""How many messages are too many: what counts, for whom, and what becomes of one that would be too many.

A message counts once for each channel that it takes, to however many devices it goes, at the moment at which it is to
leave. A cap holds in every span of its length, wherever that begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from accounts.policies import WhenCapped
from notifications.planning.values import CapRule, Decision, Drop, Facts, Hold, Plan, Policy, Send
from notifications.vocabulary import Reason

#: Seconds by which sums of moments may be off.
_ALIKE: Final = 1e-6
#: Nobody is made to wait for longer than this until there is room.
LONGEST_HOLD: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Want:
    """One message that wants to be counted. `place` is its decision's in the plan.

    `who` is the person, `at` when it is to leave, `until` the latest moment at which it still may. `rules` are the caps
    that count it. What `counts_only` is never one too many.
    """

    place: int
    who: str
    recipient_id: UUID | None
    rules: tuple[CapRule, ...]
    at: datetime
    until: datetime
    counts_only: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """There is room for it at `at`, which may be later than it wanted."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Full:
    """There is none: this cap is reached."""

    rule: CapRule


def wants(decided: Plan, facts: Facts, at: datetime) -> list[Want]:
    """The messages of a plan that caps count; none where the category has no caps."""
    policy = facts.policy
    if not policy.caps:
        return []
    holds = policy.when_capped is WhenCapped.HOLD and not policy.is_critical
    found = []
    #: One tuple for all people: whoever works with them tells by that that they are the same.
    fitting = {
        channel: tuple(rule for rule in policy.caps if rule.channel in (None, channel)) for channel in facts.channels
    }
    for place, decision in enumerate(decided.decisions):
        if not isinstance(decision.verdict, Send):
            continue
        candidate = decision.candidate
        if rules := fitting[candidate.channel]:
            person, leaves_at = candidate.person, decision.verdict.hold.until if decision.verdict.hold else at
            latest = min(facts.expires_at or leaves_at + LONGEST_HOLD, leaves_at + LONGEST_HOLD) if holds else leaves_at
            who = person.who
            found.append(Want(place, who, person.recipient_id, rules, leaves_at, latest, policy.is_critical))
    return found


def capped(decided: Plan, answers: Mapping[int, Granted | Full], policy: Policy, at: datetime) -> Plan:
    """The plan that results, where `answers` holds what was said to the decision at each place."""
    decisions = list(decided.decisions)
    words = {id(rule): in_words(rule, policy) for rule in policy.caps}
    for place, answer in answers.items():
        decisions[place] = _after(decisions[place], answer, words, at)
    return Plan(tuple(decisions))


def _after(decision: Decision, answer: Granted | Full, words: Mapping[int, str], at: datetime) -> Decision:
    verdict = decision.verdict
    assert isinstance(verdict, Send)
    match answer:
        case Full(rule=rule):
            return Decision(decision.candidate, Drop(Reason.CAPPED, f"{rule.most} of {words[id(rule)]}"))
        case Granted(at=moment) if moment > (verdict.hold.until if verdict.hold else at):
            due = f"{moment.isoformat(' ', 'minutes')[:16]} {moment.tzname()}"
            detail = f"held by the cap of {' and '.join(words.values())}; due {due}"
            return Decision(
                decision.candidate, Send(verdict.targets, verdict.locale, Hold(moment, Reason.CAPPED, detail))
            )
        case Granted():
            return decision


def in_words(rule: CapRule, policy: Policy) -> str:
    """A cap as people say it."""
    hours = int(rule.window.total_seconds() // 3600)
    span = f"{hours // 24} days" if hours % 24 == 0 and hours > 24 else f"{hours} h"
    of = f"category {policy.name}" if rule.category_id else "all categories"
    by = f" by {rule.channel}" if rule.channel else ""
    return f"{rule.most} in {span}, {of}{by}"


def first_room(taken: Sequence[float], most: int, window: float, at: float) -> float:
    """The first moment from `at` on at which one more fits among those that were `taken` (sorted), as numbers.

    Of any `most + 1` in a row the last must come at least a `window` after the first.
    """
    for moment in [at, *(one + window for one in taken if one + window > at)]:
        if fits(taken, most, window, moment):
            return moment
    return at  # pragma: no cover - after the last one there is always room


def fits(taken: Sequence[float], most: int, window: float, at: float) -> bool:
    """Whether one more at `at` leaves no span of a `window` with more than `most`."""
    near = sorted([*(one for one in taken if at - window < one < at + window), at])
    return all(near[i + most] - near[i] >= window - _ALIKE for i in range(len(near) - most))
