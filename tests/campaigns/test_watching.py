"""How far a run is, which variant gets how much, which one wins, and when it is over."""

from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Recipient
from campaigns import deciding, launching, progress
from campaigns.models import Chunk, Run
from campaigns.progress import Counts
from campaigns.vocabulary import RunState
from notifications import queues, recovery
from notifications.models import Delivery, Turnout
from tests.builders import device, iphone
from tests.campaigns.stage import begun, campaign, crowd, deliveries, worked_off
from tracking.models import ReactionCount, ReactionKind

pytestmark = pytest.mark.django_db


def later(seconds: float = 1) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def watched(run: Run, at: datetime) -> Run:
    recovery.keep_tally()
    deciding.watch(clock=lambda: at)
    return Run.objects.select_related("campaign").get(pk=run.pk)


def sent(run: Run, number: int | None = None) -> None:
    ids = [one.pk for one in deliveries(run)][:number]
    Delivery.objects.filter(pk__in=ids).update(state="sent", attempt=1)
    recovery.keep_tally()


def clicked(run: Run, letter: str, people: int) -> None:
    arm = run.arms.get(letter=letter)
    assert arm.version_id is not None
    ReactionCount.objects.create(
        hour=timezone.now(), version_id=arm.version_id, part_of=arm.id, channel="email", kind=ReactionKind.CLICKED,
        people=people, times=people,
    )  # fmt: skip


def test_a_run_is_over_when_everybody_is_planned_and_nothing_waits() -> None:
    crowd(10)
    run = begun(campaign())
    worked_off()

    assert watched(run, later(5)).state == RunState.RUNNING
    sent(run, 9)
    assert watched(run, later(10)).state == RunState.RUNNING
    sent(run)
    done = watched(run, later(15))

    assert (done.state, done.finished_at is not None) == (RunState.FINISHED, True)


def test_a_run_is_not_over_before_what_was_planned_is_counted() -> None:
    crowd(10)
    run = begun(campaign())
    worked_off()
    Delivery.objects.update(state="sent")

    # nothing was added up yet: the counts say that nothing waits
    deciding.watch(clock=lambda: later(5))

    assert Run.objects.get(pk=run.pk).state == RunState.RUNNING
    assert watched(run, later(10)).state == RunState.FINISHED


def test_a_run_is_not_over_before_its_last_chunk_is_counted_however_many_messages_a_person_gets() -> None:
    """By two channels, half of the people have as many rows as there are people."""
    for number, person in enumerate(crowd(20)):
        device(person, iphone(token=f"{number:064x}"))
    at = later()
    run = begun(campaign(channels=["push", "email"], throttle_per_minute=60), at)
    worked_off(at)
    sent(run)
    worked_off(at + timedelta(seconds=10))

    deciding.watch(clock=lambda: at + timedelta(seconds=11))

    assert run.arms.get().people == 20
    assert Run.objects.get(pk=run.pk).state == RunState.RUNNING
    sent(run)
    assert watched(run, at + timedelta(seconds=20)).state == RunState.FINISHED


def test_somebody_who_is_erased_before_their_chunk_is_planned_keeps_no_run_from_its_end() -> None:
    people = crowd(3)
    at = later()
    run = begun(campaign(), at)
    launching._freeze(lambda: at)
    Recipient.objects.filter(pk=people[0].pk).delete()
    worked_off(at)
    sent(run)

    assert watched(run, later(5)).state == RunState.FINISHED


def test_a_run_that_cannot_be_looked_at_holds_up_no_other() -> None:
    crowd(3)
    strange, sound = begun(campaign("sale")), begun(campaign("outlet"))
    worked_off()
    sent(sound)
    recovery.keep_tally()
    # as a newer version writes it, while this one still runs
    Turnout.objects.filter(part_of=strange.arms.get().pk).update(reason="unheard_of")

    assert watched(sound, later(5)).state == RunState.FINISHED


def test_a_run_whose_people_all_want_nothing_is_over_too() -> None:
    Recipient.objects.bulk_create([Recipient(external_id="nobody")])
    run = begun(campaign())
    worked_off()

    assert watched(run, later(5)).state == RunState.FINISHED
    assert progress.of(run, later(6)).counts.suppressed == 1


def test_progress_tells_percent_counts_rate_and_time_left() -> None:
    crowd(100)
    at = later()
    run = begun(campaign(throttle_per_minute=300), at)
    worked_off(at)
    run = watched(run, at + timedelta(seconds=65))
    assert progress.of(run, at + timedelta(seconds=65)).percent == 0

    sent(run)
    run = watched(run, at + timedelta(seconds=70))
    far = progress.of(run, at + timedelta(seconds=70))

    assert (far.people, far.handled, far.counts.sent) == (100, 50, 50)
    assert far.percent == 50
    assert far.per_second == 10
    # not five: 300 people a minute may begin, and 50 wait
    assert far.seconds_left == 10


def test_the_rate_of_the_first_minute_is_that_since_the_beginning() -> None:
    crowd(100)
    at = later()
    run = begun(campaign(throttle_per_minute=300), at)
    worked_off(at)
    assert progress.of(watched(run, at + timedelta(seconds=1)), at + timedelta(seconds=1)).per_second is None

    sent(run)
    run = watched(run, at + timedelta(seconds=9))
    far = progress.of(run, at + timedelta(seconds=10))

    assert (far.per_second, far.seconds_left) == (5, 10), "no more has left since the sample of a second ago"


def test_no_end_is_foreseen_where_everybody_has_an_hour_of_their_own() -> None:
    crowd(10)
    at = later()
    run = begun(campaign(schedule_kind="once", starts_wall="2026-05-01T09:00", in_local_time=True), at)
    worked_off(at)
    sent(run, 5)
    far = progress.of(watched(run, at + timedelta(seconds=5)), at + timedelta(seconds=5))

    assert far.counts.waiting
    assert far.seconds_left is None


def test_what_was_planned_and_is_not_counted_yet_has_not_left() -> None:
    crowd(10)
    run = begun(campaign("sale", "outlet", holdout_percent=20))
    worked_off()
    run.refresh_from_db()

    assert progress.of(run, later(5)).percent == 0

    sent(run)

    assert progress.of(run, later(10)).percent == 99.9


def test_how_far_a_run_is_takes_the_same_few_statements_whatever_its_size(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    crowd(3_000)
    run = begun(campaign("sale", "outlet", holdout_percent=10))
    worked_off()
    run = watched(run, later(5))

    with django_assert_max_num_queries(6):
        progress.of(run, later(6))


def test_held_out_people_are_nobody_who_waits() -> None:
    crowd(200)
    run = begun(campaign("sale", "outlet", holdout_percent=20))
    worked_off()
    sent(run)

    assert watched(run, later(5)).state == RunState.FINISHED


def test_the_rest_waits_for_the_better_variant_and_gets_it() -> None:
    crowd(2_000)
    run = begun(campaign("sale", "outlet", test_percent=50, decide_after_hours=1))
    worked_off()
    sent(run)
    run = watched(run, later(5))
    assert run.state == RunState.DECIDING

    clicked(run, "A", 20)
    clicked(run, "B", 120)
    assert watched(run, later(600)).winner == ""
    decided = watched(run, later(3_700))
    assert (decided.winner, decided.state) == ("B", RunState.RUNNING)
    assert {letter: one["clicked"] for letter, one in decided.decided_on.items()} == {"A": 20, "B": 120}, "of the test"

    worked_off(later(3_800))
    sent(run)
    assert watched(run, later(3_900)).state == RunState.FINISHED
    assert len(deliveries(run)) == 2_000


def test_a_winner_is_asked_for_at_a_few_moments_and_not_at_every_one() -> None:
    begun_at = later()

    assert deciding.looks(begun_at, 4, 24) == [begun_at + timedelta(hours=one) for one in (4, 8, 16, 24)]
    assert deciding.looks(begun_at, 4, 4) == [begun_at + timedelta(hours=4)]


def test_between_two_looks_nothing_is_decided_however_sure_it_is() -> None:
    crowd(2_000)
    run = begun(campaign("sale", "outlet", test_percent=50, decide_after_hours=2))
    worked_off()
    sent(run)
    watched(run, later(5))
    watched(run, later(2 * 3600 + 60))
    watched(run, later(2 * 3600 + 120))
    clicked(run, "A", 20)
    clicked(run, "B", 120)

    assert watched(run, later(3 * 3600)).winner == ""
    assert watched(run, later(4 * 3600 + 60)).winner == "B"


def test_a_moment_is_looked_at_once_however_rarely_samples_are_taken_by_then() -> None:
    crowd(2_000)
    run = begun(campaign("sale", "outlet", test_percent=50, decide_after_hours=2))
    worked_off()
    sent(run)
    run = watched(run, later(5))
    assert run.tested_at is not None
    due = run.tested_at + timedelta(hours=2)
    watched(run, due - timedelta(seconds=10))
    assert watched(run, due + timedelta(seconds=1)).winner == ""
    clicked(run, "A", 20)
    clicked(run, "B", 120)

    assert watched(run, due + timedelta(seconds=6)).winner == ""
    assert watched(run, due + timedelta(hours=2, seconds=6)).winner == "B"


def test_without_a_clear_winner_the_one_that_looks_best_goes_out_at_the_latest() -> None:
    crowd(600)
    run = begun(campaign("sale", "outlet", test_percent=50, decide_after_hours=1, decide_by_hours=3))
    worked_off()
    sent(run)
    run = watched(run, later(5))
    clicked(run, "A", 9)
    clicked(run, "B", 10)

    assert watched(run, later(2 * 3600)).winner == ""
    assert watched(run, later(3 * 3600 + 60)).winner != ""


def test_an_adaptive_split_gives_more_to_what_does_best() -> None:
    crowd(2_000)
    at = later()
    run = begun(campaign("sale", "outlet", split="adaptive", throttle_per_minute=6_000), at)
    worked_off(at)
    sent(run)
    clicked(run, "B", 150)

    watched(run, at + timedelta(seconds=1))
    run = watched(run, at + timedelta(seconds=125))

    assert run.shares["B"] > 0.9
    assert run.shares["A"] >= 0.02


def test_a_fixed_split_stays_as_it_was() -> None:
    crowd(2_000)
    run = begun(campaign("sale", "outlet", throttle_per_minute=6_000))
    worked_off()
    sent(run)
    clicked(run, "B", 150)

    assert watched(run, later(61)).shares == {"A": 1, "B": 1}


def test_a_lost_hint_is_made_good_by_the_next_look() -> None:
    crowd(5)
    run = begun(campaign())
    queues.task_taken("campaigns.go_on")

    watched(run, later(5))

    assert cache.get("hint:campaigns.go_on")


def test_counts_of_several_arms_are_added() -> None:
    assert progress.added([Counts(people=1, sent=2), Counts(people=3, clicked=1)]) == Counts(
        people=4, sent=2, clicked=1
    )


def test_a_chunk_that_is_open_keeps_a_run_from_being_over() -> None:
    crowd(5)
    run = begun(campaign())
    worked_off()
    sent(run)
    Chunk.objects.filter(run=run).update(state="open")

    assert watched(run, later(5)).state == RunState.RUNNING
