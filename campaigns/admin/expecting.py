"""What was expected of a campaign, as its pages show it: before the start, and beside what came of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.channels import Channel
from campaigns.admin.figures import money
from campaigns.estimates import Cost, Estimate
from campaigns.progress import Progress
from campaigns.reports.counting import Counted
from campaigns.reports.gathering import CampaignReport
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
class Expectation:
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


def compared(expected: Mapping[str, Any], far: Progress) -> list[Expectation]:
    """What was expected of a run beside what it has come to; nothing where nobody had asked before it began."""
    if not expected:
        return []
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for amounts in _costs(expected).values():
        for currency, amount in amounts.items():
            sums[currency] += amount
    return [
        Expectation("People", f"{expected['people']:,}", f"{far.handled:,}"),
        Expectation(
            "Messages",
            f"{sum(expected['planned'].values()):,}",
            f"{far.counts.planned:,}",
            _about(expected["error_percent"]),
        ),
        Expectation("Cost", money(sums), money(far.cost)),
    ]


def compared_by_channel(report: CampaignReport) -> list[Expectation]:
    """Likewise for the report of one run, channel by channel; nothing for several runs together."""
    if report.run is None or not report.run.estimate:
        return []
    expected = report.run.estimate
    came = {line.key: line.counted for line in report.channels}
    costs, about = _costs(expected), _about(expected["error_percent"])
    found = [
        Expectation("People of the audience", f"{expected['people']:,}", f"{report.people:,} of {report.run.people:,}")
    ]
    for channel in Channel:
        planned, actual = expected["planned"].get(channel.value, 0), came.get(channel.value, Counted()).planned
        if planned or actual:
            found.append(Expectation(f"Messages by {channel}", f"{planned:,}", f"{actual:,}", about))
    for channel in Channel:
        amounts, spent = costs.get(channel.value, {}), came.get(channel.value, Counted()).cost
        if amounts or spent:
            error = max((one["error_percent"] for one in expected["costs"] if one["channel"] == channel), default=0.0)
            found.append(Expectation(f"Cost of {channel}", money(amounts), money(spent), _about(error)))
    return found


def _costs(expected: Mapping[str, Any]) -> Mapping[str, Mapping[str, Decimal]]:
    """What was expected, as a run keeps it, by channel and currency; without messages of unknown price."""
    found: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for one in expected["costs"]:
        if one["currency"]:
            found[one["channel"]][one["currency"]] = Decimal(one["amount"])
    return found


def _cost(cost: Cost) -> str:
    if not cost.currency:
        return f"no price is known for {cost.messages:,}"
    return " ".join(filter(None, (money({cost.currency: cost.amount}), _about(cost.error_percent))))


def _about(error_percent: float) -> str:
    """How far a figure may be off; empty where it is exact."""
    return f"± {error_percent:.3g} %" if error_percent else ""
