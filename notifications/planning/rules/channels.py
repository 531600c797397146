"""Which of the channels that reach a person the message takes, and which of them only if nothing is heard of it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from accounts.channels import Channel
from accounts.policies import Routing
from notifications.planning.values import Decision, Drop, Facts, Itinerary, Later, Person, Send
from notifications.vocabulary import Reason


def routed(decisions: Sequence[Decision], facts: Facts, at: datetime) -> Sequence[Decision]:
    """One person's decisions, of which all but one that would send give way where the category sends but once.

    A channel whose message is held until later reaches the person as well as any other. A push counts as cheapest only
    where a device was seen lately; where nothing else reaches the person it goes all the same. Where the category
    escalates, the channels of its order come after the first, each if nothing is heard of the one before.
    """
    itinerary = facts.policy.itinerary
    sending = [one for one in decisions if isinstance(one.verdict, Send)]
    if itinerary.routing is Routing.ALL or len(sending) < 2:
        return decisions
    by_rank = sorted(sending, key=lambda one: _rank(one.candidate.channel, one.candidate.person, facts, at))
    first = by_rank[0]
    others: dict[Channel, Later] = _afterwards(by_rank, itinerary, at) if itinerary.routing is Routing.ESCALATE else {}
    because = Drop(Reason.ROUTED, f"goes by {first.candidate.channel} instead")
    return [
        Decision(one.candidate, others.get(one.candidate.channel, because))
        if isinstance(one.verdict, Send) and one is not first
        else one
        for one in decisions
    ]


def _afterwards(by_rank: Sequence[Decision], itinerary: Itinerary, at: datetime) -> dict[Channel, Later]:
    """When the turn of each channel comes that follows the first. What the order leaves out is not taken after it."""
    first = by_rank[0]
    assert isinstance(first.verdict, Send)
    until, before = first.verdict.hold.until if first.verdict.hold else at, first.candidate.channel
    found = {}
    for one in by_rank[1:]:
        channel = one.candidate.channel
        if channel in itinerary.order:
            until += itinerary.escalate_after
            found[channel], before = Later(until, before, itinerary), channel
    return found


def _rank(channel: Channel, person: Person, facts: Facts, at: datetime) -> tuple[bool, Decimal, int]:
    """The lower, the sooner it is taken."""
    itinerary = facts.policy.itinerary
    place = itinerary.order.index(channel) if channel in itinerary.order else len(itinerary.order)
    if itinerary.routing is not Routing.CHEAPEST:
        return False, _NOTHING, place
    return (
        channel is Channel.PUSH and not _seen_lately(person, itinerary, at),
        facts.tariff.of(channel, person.phone),
        place,
    )


_NOTHING = Decimal(0)


def _seen_lately(person: Person, itinerary: Itinerary, at: datetime) -> bool:
    return any(device.seen_at and at - device.seen_at <= itinerary.seen_within for device in person.devices)
