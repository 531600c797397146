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
#: the reason is the one that would remain if all others were mended. Which addresses may be used is asked last.
RULES: Final[tuple[Rule, ...]] = (without_content, without_data, expired, refused, quiet)


def plan(facts: Facts, at: datetime) -> Plan:
    """Decide for every person and every channel asked for. The same facts and time give the same plan."""
    settled = routed if facts.digest is None else gathered
    return Plan(tuple(decision for person in facts.people for decision in settled(_each(person, facts, at), facts, at)))


def _each(person: Person, facts: Facts, at: datetime) -> list[Decision]:
    """What would become of the message on each channel, were it the only one."""
    return [
        Decision(candidate, _decide(candidate, facts, at))
        for channel in facts.channels
        for candidate in [Candidate(person, channel, facts.locale_for(channel, person.locale))]
    ]


def _decide(candidate: Candidate, facts: Facts, at: datetime) -> Send | Drop:
    hold = Hold(facts.send_at, "send_at") if facts.send_at and facts.send_at > at else None
    for rule in RULES:
        match rule(candidate, facts, at):
            case Drop() as drop:
                return drop
            case Hold() as held if hold is None or held.until > hold.until:
                hold = held
    match targets(candidate, facts):
        case Drop() as drop:
            return drop
        case found:
            return Send(found, candidate.locale or "", hold)
