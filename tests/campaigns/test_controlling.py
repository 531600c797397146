"""A run is held, goes on, is withdrawn, tries again, and is decided by a person."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from campaigns import chunks, controlling, launching
from campaigns.models import Chunk, Run
from campaigns.vocabulary import ChunkState, RunState
from notifications.vocabulary import DeliveryState
from tests.campaigns.stage import begun, campaign, crowd, deliveries, worked_off
from tests.notifications.conftest import providers, rested_breakers, sandbox
from tests.notifications.road import dispatched_all
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

__all__ = ["providers", "rested_breakers", "sandbox"]


def later(seconds: float = 1) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def states(run: Run) -> set[str]:
    return {one.state for one in deliveries(run)}


def test_a_paused_run_plans_nothing_more() -> None:
    crowd(500)
    at = later()
    run = begun(campaign(throttle_per_minute=600), at)
    assert worked_off(at) == 100

    controlling.pause(run.pk, at)

    assert worked_off(at + timedelta(minutes=5)) == 0
    controlling.resume(run.pk, at + timedelta(minutes=5))
    assert worked_off(at + timedelta(minutes=5)) == 100


def test_a_run_that_is_paused_while_it_is_frozen_goes_on_freezing_when_it_is_resumed() -> None:
    crowd(3_000)
    at = later()
    run = begun(campaign(), at)
    launching.go_on(clock=lambda: at)

    controlling.pause(run.pk, at)
    worked_off(at)
    assert Run.objects.get(pk=run.pk).people < 3_000

    controlling.resume(run.pk, at)
    worked_off(at)
    assert len(deliveries(run)) == 3_000


def test_nothing_of_a_paused_run_leaves_and_all_of_it_leaves_once_when_it_goes_on(providers: Running) -> None:
    crowd(20)
    at = timezone.now()
    run = begun(campaign(), later())
    worked_off()
    controlling.pause(run.pk, at)

    dispatched_all(later(2))
    assert states(run) & {DeliveryState.SENT, DeliveryState.SENDING} == set()

    controlling.resume(run.pk, at)
    dispatched_all(later(60))
    dispatched_all(later(61))
    assert states(run) == {DeliveryState.SENT}
    taken = [providers.admin("GET", f"record/{one.pk}").json()["accepted"] for one in deliveries(run)]
    assert taken == [1] * 20


def test_pausing_and_resuming_can_be_repeated() -> None:
    crowd(1)
    run = begun(campaign())
    controlling.resume(run.pk, later())
    controlling.pause(run.pk, later())
    controlling.pause(run.pk, later())
    controlling.resume(run.pk, later())
    controlling.resume(run.pk, later())

    assert worked_off(later(5)) == 1


def test_a_cancelled_run_plans_nothing_more_and_withdraws_what_has_not_left() -> None:
    crowd(500)
    at = later()
    run = begun(campaign(throttle_per_minute=600), at)
    worked_off(at)

    done = controlling.withdraw(run.pk, at)

    assert (done.cancelled, done.too_late) == (100, 0)
    assert states(run) == {DeliveryState.CANCELLED}
    assert worked_off(at + timedelta(hours=1)) == 0
    assert set(Chunk.objects.filter(run=run).values_list("state", flat=True)) == {
        ChunkState.PLANNED.value, ChunkState.CLOSED.value,
    }  # fmt: skip
    assert controlling.withdraw(run.pk, at).cancelled == 0


def test_a_chunk_in_a_workers_hands_is_not_planned_after_the_run_was_cancelled() -> None:
    crowd(5)
    at = later()
    run = begun(campaign(), at)
    launching._freeze(lambda: at)
    turn = chunks.take(at, lease_for=timedelta(seconds=60))
    assert turn is not None

    controlling.withdraw(run.pk, at)

    assert launching.plan_chunk(turn, at) == 0
    assert deliveries(run) == []


def test_a_cancelled_run_can_be_withdrawn_from_a_pause() -> None:
    crowd(5)
    run = begun(campaign())
    worked_off()
    controlling.pause(run.pk, later())

    assert controlling.withdraw(run.pk, later()).cancelled == 5


REFUSED = [
    (RunState.FINISHED, controlling.pause, "nothing left to pause"),
    (RunState.FINISHED, controlling.resume, "not paused"),
    (RunState.SKIPPED, controlling.withdraw, "nothing of it can be withdrawn"),
]


@pytest.mark.parametrize(("state", "act", "says"), REFUSED)
def test_what_a_run_is_in_no_state_for_is_refused(state: RunState, act: object, says: str) -> None:
    run = Run.objects.create(campaign=campaign(), planned_for=later(), state=state)

    with pytest.raises(controlling.CannotDo, match=says):
        act(run.pk, later())  # type: ignore[operator]


def test_a_person_may_decide_which_variant_goes_to_the_rest() -> None:
    crowd(1_000)
    run = begun(campaign("sale", "outlet", test_percent=20))
    worked_off()

    with pytest.raises(controlling.CannotDo, match="There is no variant 'C'; there are A, B"):
        controlling.choose(run.pk, "C", later())
    controlling.choose(run.pk, "B", later())
    worked_off(later(5))

    assert len(deliveries(run)) == 1_000
    with pytest.raises(controlling.CannotDo, match="B was chosen already"):
        controlling.choose(run.pk, "A", later())
