"""What was gathered becomes messages: which items go together by which channels, and what a template gets of them. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from accounts.channels import Channel
from accounts.policies import Routing

#: Items of which one digest consists at most; it is closed early then, and the next one begins another.
LARGEST: Final = 1000
#: Items that a template is given; `count` is the true number.
SHOWN: Final = 100
#: Names that a template finds in a digest, whatever the items say.
ITEMS, COUNT = "items", "count"


class Item(msgspec.Struct, frozen=True, gc=False):
    """One thing that was gathered for a person: what is said of it, and the delivery that stands for it by channel."""

    id: UUID
    notification_id: UUID
    at: datetime
    gathered: Mapping[Channel, UUID]
    data: Mapping[str, Any] = msgspec.field(default_factory=dict)
    expires_at: datetime | None = None

    def is_late(self, at: datetime) -> bool:
        """Whether it is of no use any more; the moment of expiry itself is too late."""
        return self.expires_at is not None and self.expires_at <= at


class Bundle(msgspec.Struct, frozen=True, gc=False):
    """Items that are one message, and the channels that it may take."""

    channels: tuple[Channel, ...]
    items: tuple[Item, ...]

    @property
    def expires_at(self) -> datetime | None:
        """When the last of them is of no use any more."""
        moments = [item.expires_at for item in self.items]
        return None if None in moments else max(moment for moment in moments if moment)


def alone(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a template is given besides, where one item is sent at once by a text that tells of many."""
    return {ITEMS: [data], COUNT: 1}


def together(items: Sequence[Item]) -> Mapping[str, Any]:
    """What a template is given of many items, the oldest first; what it asks for outside of them the oldest says."""
    return {**items[0].data, ITEMS: [item.data for item in items[:SHOWN]], COUNT: len(items)}


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
