"""What becomes of some people whom one variant of a campaign goes to: of those who are planned, and in an estimate."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.channels import Channel
from accounts.zones import zone_of
from campaigns import seats
from campaigns.models import Campaign
from campaigns.schedule_of import late_limit_of, window_of
from campaigns.schedules import Wish, local_due, wall_everywhere, within, zone_named
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
    """The plan for some people, counted against frequency caps and the throttle; `peek` counts nothing.

    Who was erased is not in it.
    """
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
    for when, group in _by_when(known, outing, at, peek=peek).items():
        part = replace(known, people=tuple(group), send_at=when.leaves_at, expires_at=at if when.is_too_late else None)
        # counted twice, as when a chunk is planned again after a crash, a message counts once
        decisions += caps.counted(plan(part, at), part, outing.notification_id, at, peek=peek).decisions
    return Plan(tuple(decisions))


def _by_when(known: Facts, outing: Outing, at: datetime, *, peek: bool) -> Mapping[When, list[Person]]:
    """People by the moment at which they get it."""
    if not outing.campaign.in_local_time:
        return {_AT_ONCE: list(known.people)}
    groups: defaultdict[When, list[Person]] = defaultdict(list)
    zones: dict[tuple[str, str], Wish | None] = {}
    wishes: list[tuple[Person, Wish]] = []
    for person in known.people:
        place = (person.time_zone, person.country)
        if place not in zones:
            zones[place] = _wish(outing, str(zone_of(*place, known.usual_zone)), at)
        if wish := zones[place]:
            wishes.append((person, wish))
        else:
            groups[_TOO_LATE].append(person)
    moments = [wish.moment for _, wish in wishes]
    if outing.campaign.throttle_per_minute and not peek:
        moments = seats.given(outing.campaign, outing.planned_for, [wish for _, wish in wishes], at)
    for (person, _), moment in zip(wishes, moments, strict=True):
        groups[When(moment) if moment > at else _AT_ONCE].append(person)
    return groups


def _wish(outing: Outing, zone: str, at: datetime) -> Wish | None:
    """From when on people of a zone get it by their own clock: from their time of day on, and within the window.

    None where it is too late for them.
    """
    moment = local_due(wall_everywhere(outing.planned_for), zone, at, late_limit_of(outing.campaign))
    if moment is None:
        return None
    clock, window = zone_named(zone), window_of(outing.campaign)
    return Wish(within(window, moment, clock) if window else moment, clock, window)
