"""Which of the channels that reach a person the message takes, and which of them only if nothing is heard of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from accounts.channels import Channel
from accounts.policies import Routing
from notifications.planning.values import Decision, Drop, Facts, Itinerary, Later, Person, Send
from notifications.vocabulary import Reason

#: What a message costs, from nothing upwards: push services and one's own mail are free by the message, and the
#: cheapest country's text message is dearer than that.
_COSTS: Final[Mapping[Channel, int]] = {Channel.PUSH: 0, Channel.EMAIL: 0, Channel.SMS: 1}


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
    by_rank = sorted(sending, key=lambda one: _rank(one.candidate.channel, one.candidate.person, itinerary, at))
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


def _rank(channel: Channel, person: Person, itinerary: Itinerary, at: datetime) -> tuple[bool, int, int]:
    """The lower, the sooner it is taken."""
    place = itinerary.order.index(channel) if channel in itinerary.order else len(itinerary.order)
    if itinerary.routing is not Routing.CHEAPEST:
        return False, 0, place
    return channel is Channel.PUSH and not _seen_lately(person, itinerary, at), _COSTS[channel], place


def _seen_lately(person: Person, itinerary: Itinerary, at: datetime) -> bool:
    return any(device.seen_at and at - device.seen_at <= itinerary.seen_within for device in person.devices)
