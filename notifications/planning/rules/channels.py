"""Which of the channels that reach a person the message takes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from accounts.channels import Channel
from accounts.policies import Routing
from notifications.planning.values import Decision, Drop, Facts, Itinerary, Person, Send
from notifications.vocabulary import Reason

#: What a message costs, from nothing upwards: push services and one's own mail are free by the message, and the
#: cheapest country's text message is dearer than that.
_COSTS: Final[Mapping[Channel, int]] = {Channel.PUSH: 0, Channel.EMAIL: 0, Channel.SMS: 1}


def routed(decisions: Sequence[Decision], facts: Facts, at: datetime) -> Sequence[Decision]:
    """One person's decisions, of which all but one that would send give way where the category sends but once.

    A channel whose message is held until later reaches the person as well as any other. A push counts as cheapest only
    where a device was seen lately; where nothing else reaches the person it goes all the same.
    """
    itinerary = facts.policy.itinerary
    sending = [one for one in decisions if isinstance(one.verdict, Send)]
    if itinerary.routing is Routing.ALL or len(sending) < 2:
        return decisions
    chosen = min(sending, key=lambda one: _rank(one.candidate.channel, one.candidate.person, itinerary, at))
    because = Drop(Reason.ROUTED, f"goes by {chosen.candidate.channel} instead")
    return [
        Decision(one.candidate, because) if isinstance(one.verdict, Send) and one is not chosen else one
        for one in decisions
    ]


def _rank(channel: Channel, person: Person, itinerary: Itinerary, at: datetime) -> tuple[bool, int, int]:
    """The lower, the sooner it is taken."""
    place = itinerary.order.index(channel) if channel in itinerary.order else len(itinerary.order)
    if itinerary.routing is not Routing.CHEAPEST:
        return False, 0, place
    return channel is Channel.PUSH and not _seen_lately(person, itinerary, at), _COSTS[channel], place


def _seen_lately(person: Person, itinerary: Itinerary, at: datetime) -> bool:
    return any(device.seen_at and at - device.seen_at <= itinerary.seen_within for device in person.devices)
