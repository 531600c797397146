"""What was gathered becomes messages: which items go together, by which channels. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from accounts.channels import Channel
from accounts.policies import Routing


class Item(msgspec.Struct, frozen=True, gc=False):
    """One thing that was gathered for a person: what is said of it, and the delivery that stands for it by channel."""

    id: UUID
    at: datetime
    gathered: Mapping[Channel, UUID]
    data: Mapping[str, Any] = msgspec.field(default_factory=dict)
    expires_at: datetime | None = None


class Bundle(msgspec.Struct, frozen=True, gc=False):
    """Items that are one message, and the channels that it may take."""

    channels: tuple[Channel, ...]
    items: tuple[Item, ...]

    @property
    def expires_at(self) -> datetime | None:
        """When the last of them is of no use any more."""
        moments = [item.expires_at for item in self.items]
        return None if None in moments else max(moment for moment in moments if moment)


def bundles(items: Sequence[Item], routing: Routing) -> list[Bundle]:
    """The messages that items become; each item goes by the channels by which it was gathered, and by no other.

    Nearly always they have the same channels, and are one message. Else, where every channel is taken, each channel
    says what was gathered for it; where one is chosen, those that have the same channels to choose from go together.
    """
    oldest_first = sorted(items, key=lambda item: (item.at, item.id))
    if routing is not Routing.ALL:
        alike: defaultdict[tuple[Channel, ...], list[Item]] = defaultdict(list)
        for item in oldest_first:
            alike[_in_order(item.gathered)].append(item)
        return [Bundle(channels, tuple(some)) for channels, some in alike.items()]
    same: defaultdict[tuple[UUID, ...], list[Channel]] = defaultdict(list)
    for channel in Channel:
        if said := tuple(item.id for item in oldest_first if channel in item.gathered):
            same[said].append(channel)
    return [
        Bundle(tuple(channels), tuple(item for item in oldest_first if channels[0] in item.gathered))
        for channels in same.values()
    ]


def _in_order(channels: Mapping[Channel, UUID]) -> tuple[Channel, ...]:
    return tuple(channel for channel in Channel if channel in channels)
