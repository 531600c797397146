"""Facts and a time in, a plan out."""

from datetime import datetime
from typing import Final

from notifications.planning.rules.channels import routed
from notifications.planning.rules.consent import refused
from notifications.planning.rules.content import without_content, without_data
from notifications.planning.rules.digest import gathered
from notifications.planning.rules.expiry import expired
from notifications.planning.rules.quiet_hours import quiet
from notifications.planning.rules.reach import targets
from notifications.planning.values import Candidate, Decision, Drop, Facts, Hold, Person, Plan, Rule, Send

#: The first rule that drops wins. What cannot be sent at all comes before what the person does not want, so that
#: the reason is the one that would remain if all others were mended. Then come quiet hours, which are a person's on
#: every channel, and so are looked up once. Which addresses may be used is asked last.
RULES: Final[tuple[Rule, ...]] = (without_content, without_data, expired, refused)


def plan(facts: Facts, at: datetime) -> Plan:
    """Decide for every person and every channel asked for. The same facts and time give the same plan."""
    settled = routed if facts.digest is None else gathered
    return Plan(tuple(decision for person in facts.people for decision in settled(_each(person, facts, at), facts, at)))


def _each(person: Person, facts: Facts, at: datetime) -> list[Decision]:
    """What would become of the message on each channel, were it the only one."""
    decisions: list[Decision] = []
    leaves: tuple[Hold | Drop | None] | None = None
    for channel in facts.channels:
        candidate = Candidate(person, channel, facts.locale_for(channel, person.locale))
        verdict: Send | Drop | None = _refusal(candidate, facts, at)
        if verdict is None:
            if leaves is None:
                leaves = (_when(candidate, facts, at),)
            verdict = leaves[0] if isinstance(leaves[0], Drop) else _sent(candidate, facts, leaves[0])
        decisions.append(Decision(candidate, verdict))
    return decisions


def _refusal(candidate: Candidate, facts: Facts, at: datetime) -> Drop | None:
    for rule in RULES:
        if drop := rule(candidate, facts, at):
            return drop
    return None


def _when(candidate: Candidate, facts: Facts, at: datetime) -> Hold | Drop | None:
    """What keeps it from leaving at once: what was asked for, or quiet hours, whichever is longer."""
    hold = Hold(facts.send_at, "send_at") if facts.send_at and facts.send_at > at else None
    spoken = quiet(candidate, facts, at)
    if isinstance(spoken, Hold) and hold and spoken.until <= hold.until:
        return hold
    return spoken or hold


def _sent(candidate: Candidate, facts: Facts, hold: Hold | None) -> Send | Drop:
    found = targets(candidate, facts)
    return found if isinstance(found, Drop) else Send(found, candidate.locale or "", hold)
