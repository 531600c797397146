"""The home page: what happened today at a glance, and the way to what lies behind each figure.

However large the log is, it takes the same few statements, and none of them reads the log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from accounts.channels import Channel
from accounts.ids import instant_of
from notifications.account_report import Report, reports
from notifications.clock import clock
from notifications.ledger import tally
from notifications.ledger.replay import latest_dead_letters
from notifications.ledger.sweep import LaneLoad, loads
from notifications.ledger.tally import Count
from notifications.models import Audience, ProviderAccount, Standing
from notifications.vocabulary import Lane

#: How many dead letters are counted, and how many of the latest audiences are shown.
_DEAD_MOST: Final = 1_000
_LATEST: Final = 5
#: Of the chart, in its own units.
_WIDTH, _HEIGHT = 720, 150

#: What the pages of deliveries are asked for, for each standing.
_STATES: Final[Mapping[Standing, str]] = {
    Standing.WAITING: "scheduled,queued,sending,retrying",
    Standing.SENT: "sent,uncertain",
    Standing.DELIVERED: "delivered",
    Standing.FAILED: "failed,expired,cancelled",
    Standing.SUPPRESSED: "suppressed",
}


#: Deliveries by the hour of the day in which they were planned, and how they stand.
_Sums = Mapping[tuple[int, Standing], int]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and the list behind it."""

    label: str
    count: int
    url: str
    standing: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of an hour's column in the chart."""

    standing: str
    x: float
    y: float
    height: float


def told(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page shows, each part only to whoever may see the list behind it."""
    at = clock.now()
    may = request.user.has_perm
    if may("notifications.view_delivery"):
        context |= _today(at)
    if may("notifications.view_batch"):
        context["lanes"] = _lanes(at)
    if may("notifications.view_provideraccount"):
        context["accounts"] = _accounts()
    if may("notifications.view_deadletter"):
        context["dead"] = latest_dead_letters(_DEAD_MOST)
        context["dead_most"] = _DEAD_MOST
    if may("notifications.view_notification"):
        context["audiences"] = _audiences()
    return context


def _today(at: datetime) -> dict[str, Any]:
    midnight = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
    counts = tally.since(midnight)
    sums = _by_hour(counts)
    totals = [_figure("Accepted", counts, None, {})]
    totals += [_figure(one.value.capitalize(), counts, one, {}) for one in Standing]
    by_channel = [
        (channel.value, [_figure("Accepted", counts, None, {"channel": channel.value})]
         + [_figure(one.value.capitalize(), counts, one, {"channel": channel.value}) for one in Standing])
        for channel in Channel
    ]  # fmt: skip
    return {
        "today": totals,
        "by_channel": by_channel,
        "standings": list(Standing),
        "hours": _hours(sums),
        "chart": _chart(sums),
        "ticks": [(hour * _WIDTH // 24, f"{hour:02}") for hour in range(0, 24, 3)],
        "width": _WIDTH,
        "height": _HEIGHT,
        "at": at,
    }


def _figure(label: str, counts: Sequence[Count], standing: Standing | None, query: dict[str, str]) -> Figure:
    """Deliveries of one standing; with none, all that were accepted, which is all but the suppressed."""
    wanted = [
        one.count
        for one in counts
        if (one.standing is standing if standing else one.standing is not Standing.SUPPRESSED)
        and query.get("channel", one.channel) == one.channel
    ]
    if standing:
        states = _STATES[standing]
    else:
        states = ",".join(_STATES[one] for one in Standing if one is not Standing.SUPPRESSED)
    exact = {f"{name}__exact": value for name, value in query.items()}
    ask = urlencode({"day": "today", "state__in": states, **exact}, safe=",")
    url = f"{reverse('admin:notifications_delivery_changelist')}?{ask}"
    return Figure(label, sum(wanted), url, standing.value if standing else "")


def _hours(sums: _Sums) -> list[tuple[str, list[int]]]:
    """The chart as a table: each hour in which there was anything."""
    return [
        (f"{hour:02}:00", [sums[hour, one] for one in Standing])
        for hour in range(24)
        if any(sums[hour, one] for one in Standing)
    ]


def _by_hour(counts: Sequence[Count]) -> _Sums:
    sums = {(hour, one): 0 for hour in range(24) for one in Standing}
    for one in counts:
        sums[one.hour.astimezone(UTC).hour, one.standing] += one.count
    return sums


def _chart(sums: _Sums) -> list[Bar]:
    """A column an hour, stacked by standing."""
    highest = max((sum(sums[hour, one] for one in Standing) for hour in range(24)), default=0)
    bars = []
    for hour in range(24):
        y = float(_HEIGHT)
        for one in Standing:
            height = sums[hour, one] / highest * _HEIGHT if highest else 0.0
            y -= height
            if height:
                bars.append(Bar(one.value, hour * _WIDTH / 24 + 4, round(y, 1), round(height, 1)))
    return bars


def _lanes(at: datetime) -> list[tuple[Lane, LaneLoad, str]]:
    """Every lane in which anything waits or is under way."""
    page = reverse("admin:notifications_batch_changelist")
    return [(load.lane, load, f"{page}?lane__exact={load.lane}") for load in loads(at)]


def _accounts() -> list[tuple[ProviderAccount, Report]]:
    accounts = list(ProviderAccount.objects.active().order_by("name"))
    found = reports(accounts)
    return [(account, found[account.name]) for account in accounts]


def _audiences() -> list[tuple[Audience, datetime]]:
    latest = Audience.objects.select_related("notification__version__template").order_by("-notification_id")[:_LATEST]
    return [(one, instant_of(one.notification_id)) for one in latest]
