"""celery-beat's row of a campaign: an alarm clock that rings at its moments.

`Campaign.next_at` is the truth. An alarm only has it looked at, at once rather than at the platform's next tick: one
that rings too often, too early or twice starts nothing, and one that does not ring costs five seconds.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from django.db.models import Model
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from campaigns.models import Campaign
from campaigns.schedule_of import schedule_of
from campaigns.schedules import Every, Now, Once, Recurring, crontabs, zone_named
from campaigns.vocabulary import START, CampaignState
from notifications.queues import PLANNER_QUEUE

#: Seconds after which an alarm that nobody heard is not worth hearing: the platform's tick has done its work.
_EXPIRES: Final = 60
#: The columns of a row that say when it rings; one of them is filled.
_KINDS: Final = ("clocked", "crontab", "interval")


def keep(campaign: Campaign, at: datetime) -> None:
    """Bring the alarm in step with a campaign that was activated, changed, paused or ended; in their transaction.

    There is one while a moment is left; it is silent while the campaign is paused. What goes out at once has none:
    whoever starts it hints. Raises `BadSchedule`.
    """
    state = CampaignState(campaign.state)
    alarm = None
    if campaign.next_at and state in {CampaignState.ACTIVE, CampaignState.PAUSED}:
        alarm = _alarm(campaign, campaign.next_at, at)
    if alarm is None:
        _remove(campaign)
        return
    rings = dict.fromkeys(_KINDS) | alarm
    task, _ = PeriodicTask.objects.update_or_create(
        name=f"campaign {campaign.pk}",
        defaults=rings
        | {
            "task": START,
            "kwargs": msgspec.json.encode({"campaign": str(campaign.pk)}).decode(),
            "queue": PLANNER_QUEUE,
            "expire_seconds": _EXPIRES,
            "enabled": state is CampaignState.ACTIVE,
            "description": f"Starts “{campaign.name}”. Kept by the campaign: what is changed here is written over.",
        },
    )
    if campaign.periodic_task_id != task.pk:
        campaign.periodic_task = task
        campaign.save(update_fields=["periodic_task"])


def _alarm(campaign: Campaign, next_at: datetime, at: datetime) -> dict[str, Any] | None:
    """The columns of its row that say when it rings."""
    match schedule_of(campaign, at):
        case Now():
            return None
        case Once():
            clocked = _row(ClockedSchedule, clocked_time=next_at)
            return {"clocked": clocked, "one_off": True, "start_time": None}
        case Recurring(rule=Every(number=number, unit=unit)):
            # beat counts from the first time it rings, which is so at a moment of the campaign
            interval = _row(IntervalSchedule, every=number, period=unit.value)
            return {"interval": interval, "one_off": False, "start_time": next_at}
        case Recurring(rule=rule, zone=zone):
            crontab = _row(CrontabSchedule, **_columns(crontabs.parse(str(rule))), timezone=zone_named(zone))
            return {"crontab": crontab, "one_off": False, "start_time": None}


def _columns(crontab: crontabs.Crontab) -> dict[str, str]:
    """A crontab in words that Celery reads as we do."""
    parts = {
        "minute": (crontab.minutes, crontabs.MINUTE),
        "hour": (crontab.hours, crontabs.HOUR),
        "day_of_month": (crontab.days, crontabs.DAY),
        "month_of_year": (crontab.months, crontabs.MONTH),
        "day_of_week": (crontab.weekdays, crontabs.WEEKDAY),
    }
    return {
        name: "*" if len(numbers) == field.size else ",".join(map(str, numbers))
        for name, (numbers, field) in parts.items()
    }


def _row(model: Any, **columns: Any) -> Model:
    """The schedule's row, which alarms share; no constraint holds that there is one alone."""
    row: Model = model.objects.filter(**columns).first() or model.objects.create(**columns)
    return row


def _remove(campaign: Campaign) -> None:
    """Take the alarm away, and the date that no other alarm has; crontabs and intervals are few, and stay."""
    task = campaign.periodic_task
    if task is None:
        return
    campaign.periodic_task = None
    campaign.save(update_fields=["periodic_task"])
    clocked_id = task.clocked_id
    task.delete()
    ClockedSchedule.objects.filter(pk=clocked_id, periodictask=None).delete()
