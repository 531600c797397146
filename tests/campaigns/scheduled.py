"""Campaigns that wait for a moment."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.ids import new_id
from campaigns import starting
from campaigns.models import Campaign, Segment
from campaigns.vocabulary import CampaignState, RunState, ScheduleKind
from tests import builders

#: Noon in Korea.
NOON = datetime.fromisoformat("2026-12-01T12:00:00+09:00")


def seoul(text: str) -> datetime:
    """A moment by the clock in Korea."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Seoul"))


def campaign(**values: Any) -> Campaign:
    """A draft that would go out daily at nine, in Korea."""
    usual = {
        "name": f"campaign-{new_id()}",
        "application": builders.application(),
        "segment": Segment.objects.create(name=f"segment-{new_id()}"),
        "schedule_kind": ScheduleKind.CRONTAB,
        "crontab": "0 9 * * *",
        "late_hours": 6,
    }
    return Campaign.objects.create(**{**usual, **values})


def scheduled(at: datetime = NOON, **values: Any) -> Campaign:
    """One that was activated at `at`."""
    one = campaign(**values)
    one.state = CampaignState.ACTIVE
    starting.schedule(one, at)
    return one


def runs(of: Campaign, state: RunState) -> list[str]:
    """The moments of its runs in this state, by the clock in Korea."""
    planned = of.runs.filter(state=state).order_by("planned_for").values_list("planned_for", flat=True)
    return [f"{moment.astimezone(ZoneInfo('Asia/Seoul')):%Y-%m-%dT%H:%M}" for moment in planned]
