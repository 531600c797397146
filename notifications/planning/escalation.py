"""Whether a message goes on to its next channel: what was heard of those that it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from accounts.channels import Channel
from notifications.vocabulary import DeliveryState

_S = DeliveryState
#: Of these nothing more is to be expected.
ENDED: Final = frozenset({_S.FAILED, _S.EXPIRED, _S.CANCELLED, _S.SUPPRESSED})
#: After so long it is looked again at what is just leaving.
SOON: Final = timedelta(seconds=5)


class Tried(msgspec.Struct, frozen=True, gc=False):
    """One delivery of a message to a person. `is_heard`: it was delivered or opened, whoever said so.

    `due_at` is when it, or its next attempt, is to leave, where that is known.
    """

    channel: Channel
    state: DeliveryState
    attempt: int = 0
    sent_at: datetime | None = None
    due_at: datetime | None = None
    is_heard: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """It arrived by this channel: no other is needed."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Wait:
    """It is too early to tell; look again at this moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Onward:
    """The next channel is to be tried. `because`: what became of the one before, in words."""

    because: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a channel has to be heard of. Critical messages wait for nothing that has not left."""

    after: timedelta
    is_critical: bool = False


def judged(tried: Sequence[Tried], earlier: Sequence[Tried], patience: Patience, at: datetime) -> Heard | Wait | Onward:
    """What to do about a message of which something should have been heard by now: of what was `tried` last, or of
    what was tried `earlier`, which had its time and may still arrive.

    1. One delivery that arrived is enough. That a provider took it is no success: push services say no more than that.
    2. Where all have ended without success, the next channel is tried at once.
    3. The time to be heard of begins when a message leaves: what waits in a long line, or for morning, is not unheard
       of yet. What was tried in vain has had its time. Critical messages do not wait for anything.
    """
    if arrived := next((one for one in (*tried, *earlier) if one.is_heard or one.state is _S.DELIVERED), None):
        return Heard(arrived.channel)
    if not patience.is_critical:
        moments = [moment for one in tried if (moment := _to_be_heard_by(one, patience.after, at)) and moment > at]
        if moments:
            return Wait(max(moments))
    if not tried:
        return Onward("")
    return Onward(f"{tried[0].channel} failed" if all(one.state in ENDED for one in tried) else tried[0].channel.value)


def _to_be_heard_by(one: Tried, after: timedelta, at: datetime) -> datetime | None:
    """Until when nothing can be said of a delivery; None where it has had its time."""
    match one.state:
        case _S.SCHEDULED | _S.QUEUED:
            return max(one.due_at, at) + max(after, SOON) if one.due_at else at + max(after, SOON)
        case _S.SENDING:
            return at + SOON
        case _S.SENT:
            return one.sent_at + after if one.sent_at else None
        case _:
            return None
