"""celery-beat's rows are kept in step with campaigns, and ring at their moments."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from django.conf import settings
from django.db import connection
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from campaigns import beat, starting
from campaigns.models import Campaign
from campaigns.vocabulary import START, TICK, CampaignState, ScheduleKind
from config.celery import app
from notifications.clock import clock
from tests.campaigns.scheduled import NOON, scheduled, seoul
from tests.waiting import until

pytestmark = pytest.mark.django_db


def alarm(one: Campaign) -> PeriodicTask:
    one.refresh_from_db()
    assert one.periodic_task
    return one.periodic_task


def test_a_crontab_rings_by_the_clock_of_its_zone() -> None:
    one = scheduled(crontab="*/30 9-10 * * mon,7", zone="Europe/London")

    rings = alarm(one)

    assert (rings.task, json.loads(rings.kwargs)) == (START, {"campaign": str(one.pk)})
    assert (rings.queue, rings.expire_seconds, rings.enabled) == ("planner", 60, True)
    crontab = rings.crontab
    assert (crontab.minute, crontab.hour, crontab.day_of_week) == ("0,30", "9,10", "0,1")
    assert (crontab.day_of_month, crontab.month_of_year, str(crontab.timezone)) == ("*", "*", "Europe/London")


def test_in_everybodys_own_time_it_rings_when_the_first_clock_on_earth_shows_it() -> None:
    rings = alarm(scheduled(in_local_time=True))

    assert str(rings.crontab.timezone) == "Etc/GMT-14"


def test_an_interval_is_counted_from_its_first_moment() -> None:
    values: dict[str, Any] = {"schedule_kind": ScheduleKind.INTERVAL, "every": 6, "every_unit": "hours"}
    one = scheduled(starts_wall="2026-11-30T10:00", **values)

    rings = alarm(one)

    assert (rings.interval.every, rings.interval.period) == (6, "hours")
    assert rings.start_time == one.next_at == seoul("2026-12-01T16:00")


def test_a_date_rings_once_and_leaves_nothing_behind() -> None:
    one = scheduled(schedule_kind=ScheduleKind.ONCE, starts_wall="2026-12-24T09:00")
    rings = alarm(one)
    assert (rings.clocked.clocked_time, rings.one_off) == (seoul("2026-12-24T09:00"), True)

    starting.start_due(seoul("2026-12-24T09:00"))

    assert not PeriodicTask.objects.filter(pk=rings.pk).exists()
    assert not ClockedSchedule.objects.exists()


def test_what_goes_out_at_once_needs_no_alarm() -> None:
    assert scheduled(schedule_kind=ScheduleKind.NOW).periodic_task is None


def test_campaigns_share_a_crontab_and_a_date_but_no_alarm() -> None:
    one, other = alarm(scheduled()), alarm(scheduled())
    assert one.crontab_id == other.crontab_id

    dates = [scheduled(schedule_kind=ScheduleKind.ONCE, starts_wall="2026-12-24T09:00") for _ in range(2)]
    dates[0].state = CampaignState.ENDED
    beat.keep(dates[0], NOON)

    assert dates[0].periodic_task is None
    assert alarm(dates[1]).clocked


def test_a_paused_campaign_has_a_silent_alarm_and_a_changed_one_another() -> None:
    one = scheduled()
    rings = alarm(one)

    one.state = CampaignState.PAUSED
    beat.keep(one, NOON)
    assert not alarm(one).enabled

    one.state, one.schedule_kind, one.starts_wall = CampaignState.ACTIVE, ScheduleKind.ONCE, "2026-12-24T09:00"
    starting.schedule(one, NOON)
    assert (alarm(one).pk, alarm(one).enabled, alarm(one).crontab) == (rings.pk, True, None)
    assert alarm(one).clocked


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"in_local_time": True},
        {"schedule_kind": ScheduleKind.ONCE, "starts_wall": "2026-12-24T09:00"},
        {"schedule_kind": ScheduleKind.INTERVAL, "every": 1, "every_unit": "days", "starts_wall": "2026-12-02T09:00"},
    ],
)
def test_beat_understands_every_alarm(values: dict[str, Any]) -> None:
    entry = ModelEntry(alarm(scheduled(**values)), app=app)

    assert entry.options["expires"] == 60
    assert entry.is_due()


def test_the_platform_ticks_whether_an_alarm_rings_or_not() -> None:
    app.loader.import_default_modules()

    assert settings.CELERY_BEAT_SCHEDULE["campaigns"] == {
        "task": TICK,
        "schedule": 5.0,
        "options": {"queue": "planner", "expires": 10},
    }
    assert {TICK, START} <= set(app.tasks)


def test_the_doors_start_what_is_due() -> None:
    app.loader.import_default_modules()
    first, second = (scheduled(at=clock.now(), schedule_kind=ScheduleKind.NOW) for _ in range(2))

    app.tasks[START](campaign=str(first.pk), newer="than this worker")
    assert (first.runs.count(), second.runs.count()) == (1, 0)

    app.tasks[TICK]()
    assert (first.runs.count(), second.runs.count()) == (1, 1)


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_beat_rings_and_a_second_one_misses_nothing_after_the_first_was_killed(redis_client: redis.Redis) -> None:
    now = clock.now()
    one = scheduled(
        at=now,
        schedule_kind=ScheduleKind.INTERVAL,
        every=1,
        every_unit="days",
        starts_wall=f"{now:%Y-%m-%dT%H:%M}",
        zone="UTC",
    )
    PeriodicTask.objects.filter(pk=alarm(one).pk).update(start_time=now)
    command = [sys.executable, "-m", "celery", "-A", "config", "beat", "-S", "config.beat:Scheduler", "--pidfile="]

    for killed in range(2):
        PeriodicTask.objects.update(last_run_at=now - timedelta(days=2))
        beats = subprocess.Popen(command, env=_environment(), cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
        try:
            until(partial(_has_rung, redis_client, one, times=killed + 1), seconds=30)
        finally:
            beats.kill()
            beats.wait()


def _has_rung(redis_client: redis.Redis, one: Campaign, *, times: int) -> bool:
    """Whether its alarm rang so often; nobody hears it."""
    messages = [json.loads(message) for message in redis_client.lrange("planner", 0, -1)]
    rung = [message for message in messages if message["headers"]["kwargsrepr"] == repr({"campaign": str(one.pk)})]
    return len(rung) >= times


def _environment() -> dict[str, str]:
    """That of a process which meets the database of this test."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    url = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
