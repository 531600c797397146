"""What a category can ask for: the fixed sets of its rules, as plain words. Free of Django, for planning."""

from enum import StrEnum

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
