"""What a category can ask for: the fixed sets of its rules, as plain words. Free of Django, for planning."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from accounts.channels import Channel


class Routing(StrEnum):
    """Which of the channels that a message could take it takes."""

    ALL = "all"  # every one of them
    FIRST = "first"  # the first in the category's order that reaches the person
    CHEAPEST = "cheapest"  # the one that costs least; a push only to a device that was seen lately
    ESCALATE = "escalate"  # the first, and the next one if nothing is heard of it in time


class WhenCapped(StrEnum):
    """What becomes of a message that would be one too many."""

    DROP = "drop"
    HOLD = "hold"  # until there is room for it, as long as it does not expire


class Reach(StrEnum):
    """How many of a person's devices a push goes to."""

    ALL = "all"
    LATEST = "latest"  # the one that was seen last


#: The order of channels where a category names none: from the cheapest to the one that is read latest.
USUAL_ORDER = (Channel.PUSH, Channel.SMS, Channel.EMAIL)

#: Minutes: who has not looked within a day is not escalated to, but written to anew.
LONGEST_PATIENCE: Final = 1440


def at_odds(
    routing: str, order: Sequence[str], seen_within_days: int | None, escalate_after: int | None
) -> list[tuple[str, str]]:
    """What somebody wrote of a way that cannot be meant together: the field, and why. None and empty say nothing."""
    found = []
    if routing == Routing.ALL and order:
        found.append(("routing_order", "Where every channel is taken there is no order; leave this empty."))
    if routing == Routing.ESCALATE and len(order) == 1:
        found.append(("routing_order", "There is nothing to go on to after the only channel; name another, or none."))
    if routing == Routing.CHEAPEST and seen_within_days == 0:
        found.append(("seen_within_days", "No device was seen within no days; write one at least."))
    if escalate_after is not None and escalate_after > LONGEST_PATIENCE:
        found.append(("escalate_after", f"At most a day, which has {LONGEST_PATIENCE} minutes."))
    return found


#: What a choice is about: a category and a channel, either of which may be "all" (None).
About = tuple[UUID | None, Channel | None]


def decisive(choices: Mapping[About, bool], category: UUID, channel: Channel) -> About | None:
    """Which choice decides: the most specific one, of category and channel, category, channel, everything."""
    if not choices:
        return None
    for about in ((category, channel), (category, None), (None, channel), (None, None)):
        if about in choices:
            return about
    return None
