"""What becomes of some people whom one variant of a campaign goes to: of those who are planned, and in an estimate."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.channels import Channel
from accounts.zones import zone_of
from campaigns.models import Campaign
from campaigns.schedule_of import late_limit_of, window_of
from campaigns.schedules import local_due, wall_everywhere, within, zone_named
from notifications import caps, facts, tariffs
from notifications.planning.plan import plan
from notifications.planning.values import Decision, Facts, Person, Plan
from notifications.vocabulary import Urgency
from templates_app.catalogue import Edition


@dataclass(frozen=True, slots=True)
class Outing:
    """One variant of a campaign as it goes out, for a moment of the schedule, as one notification."""

    campaign: Campaign
    planned_for: datetime
    edition: Edition
    notification_id: UUID


@dataclass(frozen=True, slots=True)
class When:
    """When somebody gets it: at once where `leaves_at` is None. `is_too_late`: not at all, any more."""

    leaves_at: datetime | None = None
    is_too_late: bool = False


_AT_ONCE: Final = When()
_TOO_LATE: Final = When(is_too_late=True)


def planned(outing: Outing, people: Sequence[UUID], at: datetime, *, peek: bool = False) -> Plan:
    """The plan for some people, counted against frequency caps; `peek` counts nothing. Who was erased is not in it."""
    campaign, edition = outing.campaign, outing.edition
    question = facts.Question(
        edition,
        [facts.Addressee()] * len(people),
        tuple(Channel(name) for name in campaign.channels) or edition.channels,
        campaign.data,
        tariff=tariffs.current(at),
        urgency=Urgency(campaign.urgency),
    )
    known, _ = facts.gather_again(question, people)
    decisions: list[Decision] = []
    for when, group in _by_when(known, outing, at).items():
        part = replace(known, people=tuple(group), send_at=when.leaves_at, expires_at=at if when.is_too_late else None)
        # counted twice, as when a chunk is planned again after a crash, a message counts once
        decisions += caps.counted(plan(part, at), part, outing.notification_id, at, peek=peek).decisions
    return Plan(tuple(decisions))


def _by_when(known: Facts, outing: Outing, at: datetime) -> Mapping[When, list[Person]]:
    """People by the moment at which they get it."""
    if not outing.campaign.in_local_time:
        return {_AT_ONCE: list(known.people)}
    groups: defaultdict[When, list[Person]] = defaultdict(list)
    zones: dict[tuple[str, str], When] = {}
    for person in known.people:
        place = (person.time_zone, person.country)
        if place not in zones:
            zones[place] = _when(outing, str(zone_of(*place, known.usual_zone)), at)
        groups[zones[place]].append(person)
    return groups


def _when(outing: Outing, zone: str, at: datetime) -> When:
    """When people of a zone get it by their own clock: at their time of day, and within the window."""
    moment = local_due(wall_everywhere(outing.planned_for), zone, at, late_limit_of(outing.campaign))
    if moment is None:
        return _TOO_LATE
    if window := window_of(outing.campaign):
        moment = within(window, moment, zone_named(zone))
    return When(moment) if moment > at else _AT_ONCE
