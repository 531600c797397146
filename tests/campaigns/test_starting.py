"""Every moment of a campaign becomes one run or is told to be skipped, whoever asks, how often, and how late."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django_celery_beat.models import PeriodicTask

from campaigns import starting
from campaigns.models import Campaign, Run
from campaigns.schedules import BadSchedule
from campaigns.vocabulary import CampaignState, RunState, ScheduleKind
from tests.at_once import in_threads
from tests.campaigns.scheduled import NOON, campaign, runs, scheduled, seoul

pytestmark = pytest.mark.django_db

STARTING, SKIPPED = RunState.STARTING, RunState.SKIPPED


def test_an_active_campaign_waits_for_its_first_moment() -> None:
    one = scheduled()

    one.refresh_from_db()
    assert one.next_at == seoul("2026-12-02T09:00")
    assert starting.start_due(seoul("2026-12-02T08:59:59")) == []
    assert not Run.objects.exists()


def test_a_moment_becomes_a_run_once_however_often_it_is_asked() -> None:
    one = scheduled()
    nine = seoul("2026-12-02T09:00")

    (run_id,) = starting.start_due(nine)

    assert starting.start_due(nine) == []
    assert starting.start(one.pk, nine + timedelta(seconds=5)) == []
    run = Run.objects.get()
    assert (run.pk, run.campaign, run.planned_for, run.state) == (run_id, one, nine, STARTING)
    one.refresh_from_db()
    assert one.next_at == seoul("2026-12-03T09:00")
    assert one.state == CampaignState.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_two_beats_and_a_sweep_at_once_start_one_run() -> None:
    campaigns = [scheduled() for _ in range(5)]
    nine = seoul("2026-12-02T09:00")

    def tick() -> list[UUID]:
        return starting.start_due(nine)

    begun = in_threads(tick, tick, tick, lambda: starting.start(campaigns[0].pk, nine))

    ids = [run_id for found in begun for run_id in found]
    # whoever finds a campaign in other hands leaves it to them
    assert sorted(ids) == sorted(Run.objects.values_list("id", flat=True))
    assert sorted(Run.objects.values_list("campaign", flat=True)) == sorted(one.pk for one in campaigns)


def test_after_three_days_of_downtime_a_daily_campaign_makes_one_run_and_tells_of_two() -> None:
    one = scheduled()

    begun = starting.start_due(seoul("2026-12-04T11:30"))

    assert len(begun) == 1
    assert runs(one, STARTING) == ["2026-12-04T09:00"]
    assert runs(one, SKIPPED) == ["2026-12-02T09:00", "2026-12-03T09:00"]
    (note,) = one.runs.filter(state=SKIPPED).values_list("note", flat=True).distinct()
    assert note.endswith("of such moments the latest counts alone. A later one was found: 2026-12-04 00:00 UTC.")
    one.refresh_from_db()
    assert one.next_at == seoul("2026-12-05T09:00")


def test_what_is_later_than_the_limit_does_not_run_and_is_told() -> None:
    one = scheduled(late_hours=2)

    assert starting.start_due(seoul("2026-12-03T11:01")) == []

    assert runs(one, STARTING) == []
    assert runs(one, SKIPPED) == ["2026-12-02T09:00", "2026-12-03T09:00"]
    latest = one.runs.order_by("planned_for").last()
    assert latest
    assert latest.note == "It could not be started in time: it was 2 h 1 min late, and may be 2 h at most."
    assert latest.finished_at == seoul("2026-12-03T11:01")


def test_with_its_last_moment_a_campaign_has_ended() -> None:
    one = scheduled(ends_wall="2026-12-03T09:00")

    starting.start_due(seoul("2026-12-02T09:00"))
    one.refresh_from_db()
    assert (one.state, PeriodicTask.objects.filter(name=f"campaign {one.pk}").exists()) == ("active", True)
    starting.start_due(seoul("2026-12-03T09:00"))

    one.refresh_from_db()
    assert (one.state, one.next_at, one.periodic_task) == (CampaignState.ENDED, None, None)
    assert runs(one, STARTING) == ["2026-12-02T09:00", "2026-12-03T09:00"]
    assert starting.start_due(seoul("2026-12-04T09:00")) == []


@pytest.mark.parametrize(
    ("values", "moment"),
    [
        ({"schedule_kind": ScheduleKind.NOW}, "2026-12-01T12:00"),
        ({"schedule_kind": ScheduleKind.ONCE, "starts_wall": "2026-12-24T09:00"}, "2026-12-24T09:00"),
        # the first clocks on earth show nine five hours before Korea's
        (
            {"schedule_kind": ScheduleKind.ONCE, "starts_wall": "2026-12-24T09:00", "in_local_time": True},
            "2026-12-24T04:00",
        ),
    ],
)
def test_what_goes_out_once_has_ended_with_its_run(values: dict[str, Any], moment: str) -> None:
    one = scheduled(**values)
    assert one.next_at == seoul(moment)

    assert len(starting.start_due(seoul(moment))) == 1

    ended = Campaign.objects.get()
    assert ended.state == CampaignState.ENDED
    assert ended.next_at is None
    assert runs(one, STARTING) == [moment]


def test_a_date_that_passed_before_somebody_approved_it_runs_late_or_is_told() -> None:
    soon: dict[str, Any] = {"schedule_kind": ScheduleKind.ONCE, "starts_wall": "2026-12-01T09:00"}
    late, too_late = scheduled(**soon), scheduled(late_hours=2, **soon)

    starting.start_due(NOON)

    assert (runs(late, STARTING), runs(late, SKIPPED)) == (["2026-12-01T09:00"], [])
    assert (runs(too_late, STARTING), runs(too_late, SKIPPED)) == ([], ["2026-12-01T09:00"])


def test_one_that_is_activated_after_its_end_has_ended_at_once() -> None:
    one = scheduled(ends_wall="2026-12-01T10:00")

    one.refresh_from_db()
    assert (one.state, one.next_at, one.periodic_task) == (CampaignState.ENDED, None, None)


def test_a_run_that_is_there_already_is_left_alone() -> None:
    one = scheduled()
    nine = seoul("2026-12-02T09:00")
    there = Run.objects.create(campaign=one, planned_for=nine, state=RunState.FINISHED)

    assert starting.start_due(nine) == []

    assert [run.pk for run in one.runs.all()] == [there.pk]
    one.refresh_from_db()
    assert one.next_at == seoul("2026-12-03T09:00")


def test_while_a_campaign_is_paused_its_moments_pass_and_are_told_when_it_goes_on() -> None:
    one = scheduled()
    Campaign.objects.update(state=CampaignState.PAUSED)
    later = seoul("2026-12-03T10:00")
    assert starting.start_due(later) == []

    with transaction.atomic():
        again = Campaign.objects.select_for_update().get()
        again.state = CampaignState.ACTIVE
        starting.pass_over(again, later)

    assert starting.start_due(later) == []
    assert runs(one, SKIPPED) == ["2026-12-02T09:00", "2026-12-03T09:00"]
    assert set(one.runs.values_list("note", flat=True)) == {"The campaign was paused."}
    assert len(starting.start_due(seoul("2026-12-04T09:00"))) == 1


def test_a_campaign_whose_last_moment_passed_while_it_was_paused_has_ended() -> None:
    one = scheduled(schedule_kind=ScheduleKind.ONCE, starts_wall="2026-12-02T09:00")

    starting.pass_over(one, seoul("2026-12-02T10:00"))

    one.refresh_from_db()
    assert (one.state, runs(one, SKIPPED)) == (CampaignState.ENDED, ["2026-12-02T09:00"])


def test_a_schedule_that_became_senseless_holds_up_nobody_else_and_is_told() -> None:
    broken, sound = scheduled(), scheduled()
    Campaign.objects.filter(pk=broken.pk).update(zone="Asia/Atlantis")
    nine = seoul("2026-12-02T09:00")

    assert len(starting.start_due(nine)) == 1

    broken.refresh_from_db()
    assert (broken.state, runs(sound, STARTING)) == (CampaignState.PAUSED, ["2026-12-02T09:00"])
    failed = broken.runs.get()
    assert (failed.state, failed.planned_for) == (RunState.FAILED, nine)
    assert "No time zone is called “Asia/Atlantis”" in failed.note


def test_a_senseless_schedule_is_not_activated() -> None:
    one = campaign(crontab="0 25 * * *")

    with pytest.raises(BadSchedule):
        starting.schedule(one, NOON)

    one.refresh_from_db()
    assert (one.next_at, one.periodic_task) == (None, None)


@pytest.mark.parametrize("minutes", [1, 7, 61, 24 * 60 + 13])
def test_whatever_the_gaps_between_ticks_every_moment_is_seen_to_once(minutes: int) -> None:
    """As with a beat that is killed and started anew, again and again."""
    one = scheduled(crontab="0 */6 * * *", ends_wall="2026-12-06T00:00")

    at: datetime = NOON
    while at < seoul("2026-12-07T13:00"):
        at += timedelta(minutes=minutes)
        starting.start_due(at)

    expected = [
        f"2026-12-0{day}T{hour:02}:00"
        for day in range(1, 7)
        for hour in (0, 6, 12, 18)
        if "2026-12-01T12" <= f"2026-12-0{day}T{hour:02}" <= "2026-12-06T00"
    ]
    assert sorted(runs(one, STARTING) + runs(one, SKIPPED)) == expected
    one.refresh_from_db()
    assert one.state == CampaignState.ENDED
