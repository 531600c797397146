"""What was expected of a campaign, as its pages show it: before the start, and beside what came of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.channels import Channel
from campaigns.admin.figures import money
from campaigns.estimates import Cost, Estimate
from campaigns.progress import Progress
from notifications.ledger import spending
from notifications.vocabulary import REASON_TEXT


@dataclass(frozen=True, slots=True)
class Row:
    """What is expected on one channel; `costs` in words."""

    channel: Channel
    planned: int
    later: int
    costs: Sequence[str]


@dataclass(frozen=True, slots=True)
class Silenced:
    """People who get nothing on a channel, and why, in words."""

    channel: Channel
    text: str
    people: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure as it was expected, with how far it may be off, and as it is."""

    name: str
    expected: str
    actual: str
    error: str = ""


def rows(estimate: Estimate) -> list[Row]:
    """A line for each channel on which anything is expected."""
    return [
        Row(
            channel,
            estimate.planned.get(channel, 0),
            estimate.later.get(channel, 0),
            [_cost(one) for one in estimate.costs if one.channel is channel],
        )
        for channel in Channel
        if channel in estimate.planned or channel in estimate.later
    ]


def silenced(estimate: Estimate) -> list[Silenced]:
    """Why people get nothing on a channel, the most frequent first."""
    return [Silenced(one.channel, REASON_TEXT[one.reason], one.people) for one in estimate.suppressed]


def compared(expected: Mapping[str, Any], far: Progress, parts: Sequence[UUID]) -> list[Comparison]:
    """What was expected of a run beside what it has come to; nothing where nobody had asked before it began."""
    if not expected:
        return []
    spent: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in spending.of_parts(parts):
        if one.currency:
            spent[one.currency] += one.amount
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for cost in expected["costs"]:
        if cost["currency"]:
            sums[cost["currency"]] += Decimal(cost["amount"])
    error = f"± {expected['error_percent']:g} %" if expected["error_percent"] else ""
    return [
        Comparison("People", f"{expected['people']:,}", f"{far.handled:,}"),
        Comparison("Messages", f"{sum(expected['planned'].values()):,}", f"{far.counts.planned:,}", error),
        Comparison("Cost", money(sums), money(spent)),
    ]


def _cost(cost: Cost) -> str:
    if not cost.currency:
        return f"no price is known for {cost.messages:,}"
    error = f" ± {cost.error_percent:g} %" if cost.error_percent else ""
    return f"{money({cost.currency: cost.amount})}{error}"
