"""What was expected of a run before it started, beside what came."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.channels import Channel
from campaigns.admin.figures import money
from campaigns.models import Run
from campaigns.reports.counting import Counted
from campaigns.reports.gathering import CampaignReport


@dataclass(frozen=True, slots=True)
class Beside:
    """One line: what it is about, what was expected, and what came."""

    name: str
    expected: str
    came: str


def beside(report: CampaignReport) -> list[Beside]:
    """Messages and cost by channel; empty where nothing was estimated, and for several runs together."""
    if report.run is None or not report.run.estimate:
        return []
    estimate = report.run.estimate
    came = {line.key: line.counted for line in report.channels}
    planned: Mapping[str, int] = estimate.get("planned", {})
    costs = _costs(estimate)
    about = _about(estimate.get("error_percent"))
    told = [_people(report.run, report)]
    for channel in Channel:
        one = came.get(channel.value, Counted())
        if planned.get(channel.value) or one.planned:
            told.append(
                Beside(f"Messages by {channel}", f"{planned.get(channel.value, 0):,}{about}", f"{one.planned:,}")
            )
    for channel in Channel:
        one = came.get(channel.value, Counted())
        if costs.get(channel.value) or one.cost:
            expected = f"{money(costs.get(channel.value, {}))}{_error(estimate, channel.value)}"
            told.append(Beside(f"Cost of {channel}", expected, money(one.cost)))
    return told


def _people(run: Run, report: CampaignReport) -> Beside:
    return Beside(
        "People of the audience", f"{run.estimate.get('people', 0):,}", f"{report.people:,} of {run.people:,}"
    )


def _costs(estimate: Mapping[str, Any]) -> Mapping[str, Mapping[str, Decimal]]:
    """By channel and currency; those without a price are told as messages elsewhere."""
    found: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for one in estimate.get("costs", ()):
        if one.get("currency"):
            found[one["channel"]][one["currency"]] = Decimal(one["amount"])
    return found


def _error(estimate: Mapping[str, Any], channel: str) -> str:
    errors = [one.get("error_percent") or 0 for one in estimate.get("costs", ()) if one["channel"] == channel]
    return _about(max(errors, default=0))


def _about(error_percent: float | None) -> str:
    return f" ± {error_percent:.1f} %" if error_percent else ""
