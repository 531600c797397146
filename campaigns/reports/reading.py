"""The roll-ups, added up by whatever a report is about. Four statements, however many messages there were."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Model, Q, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncHour

from accounts.channels import Channel
from campaigns.reports.counting import Counted, Sums
from notifications.models import Spending, Turnout, TurnoutState
from notifications.providers.registry import always_tells
from tracking.models import ReactionCount, Revenue

#: States of what has left and is not known to have failed.
_LEFT: Final = {TurnoutState.SENT.value, TurnoutState.DELIVERED.value, TurnoutState.UNCERTAIN.value}
_ENDED_BADLY: Final = {TurnoutState.FAILED.value, TurnoutState.EXPIRED.value, TurnoutState.CANCELLED.value}

#: Whether anybody tells what arrived, is known by channel.
_CHANNEL: Final = ("by",)
#: What the sums of each key are added to.
_Into = defaultdict[tuple[Any, ...], Sums]


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open span of time."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Which:
    """The messages that are counted: of some parts (arms of runs), of some versions of templates, or of a span.

    A message counts in the hour in which it was planned or sent; what people did, in the hour in which they did it.
    """

    parts: Sequence[UUID] | None = None
    versions: Sequence[UUID] | None = None
    channel: str = ""
    span: Span | None = None

    @property
    def asked(self) -> Q:
        """The condition. Parts and versions have an index each, hours are the beginning of a third."""
        asked = Q()
        if self.parts is not None:
            asked &= Q(part_of__in=self.parts)
        if self.versions is not None:
            asked &= Q(version_id__in=self.versions)
        if self.channel:
            asked &= Q(channel=self.channel)
        if self.span is not None:
            asked &= Q(hour__gte=self.span.since, hour__lt=self.span.until)
        return asked


def counted(which: Which, *keys: str) -> Mapping[tuple[Any, ...], Counted]:
    """All that is counted, by `keys`: columns that all roll-ups have, such as `part_of` and `channel`."""
    into: _Into = defaultdict(Sums)
    of_channel: _Into = defaultdict(Sums)
    for row in _summed(Turnout, which, (*keys, *_CHANNEL, "state", "reason"), "count"):
        _add_turnout(of_channel[row[:-3]], row[-3], row[-2], int(row[-1]))
    for key, sums in of_channel.items():
        one = sums.counted()
        if not one.delivered and not always_tells(Channel(key[-1])):
            sums.add("untold", one.sent)
        into[key[:-1]].add_all(sums.counted())
    for row in _summed(ReactionCount, which, (*keys, "kind"), "people"):
        into[row[:-2]].add(row[-2], int(row[-1]))
    for row in _summed(Revenue, which, (*keys, "currency"), "amount"):
        if row[-2]:
            into[row[:-2]].add_to("revenue", row[-2], row[-1])
    for row in _summed(Spending, which, (*keys, "currency"), "messages", "amount"):
        if row[-3]:
            into[row[:-3]].add_to("cost", row[-3], row[-1])
        else:
            into[row[:-3]].add("unpriced", int(row[-2]))
    return {key: sums.counted() for key, sums in into.items()}


def over_time(which: Which, *, by_day: bool) -> Mapping[datetime, Counted]:
    """What was planned, and what people did, by the hour or the day in UTC; without reasons and money."""
    into: _Into = defaultdict(Sums)
    moment = TruncDay("hour") if by_day else TruncHour("hour")
    for row in _summed(Turnout, which, ("state",), "count", moment=moment):
        _add_turnout(into[row[:1]], row[1], "", int(row[2]))
    for row in _summed(ReactionCount, which, ("kind",), "people", moment=moment):
        into[row[:1]].add(row[1], int(row[2]))
    return {at: sums.counted() for (at,), sums in sorted(into.items())}


def _add_turnout(sums: Sums, state: str, reason: str, count: int) -> None:
    if state == TurnoutState.SUPPRESSED:
        sums.add("suppressed", count)
        sums.add_to("suppressed_by", reason, count)
        return
    sums.add("planned", count)
    if state in _LEFT:
        sums.add("sent", count)
        sums.add("delivered", count if state == TurnoutState.DELIVERED else 0)
    elif state in _ENDED_BADLY:
        sums.add("failed", count)
        sums.add_to("failed_by", reason, count)
    else:
        sums.add("waiting", count)


def _summed(
    model: type[Model], which: Which, keys: tuple[str, ...], *numbers: str, moment: Any = None
) -> Iterable[tuple[Any, ...]]:
    """Rows of a roll-up: the moment if one is asked for, the keys, and the sums of `numbers`."""
    rows: QuerySet[Any, Any] = QuerySet(model).filter(which.asked)
    if _CHANNEL[0] in keys:
        rows = rows.annotate(by=F("channel"))
    if moment is not None:
        rows, keys = rows.annotate(moment=moment), ("moment", *keys)
    sums = {f"sum_{name}": Sum(name) for name in numbers}
    found: Iterable[tuple[Any, ...]] = rows.order_by().values(*keys).annotate(**sums).values_list(*keys, *sums)
    return found
