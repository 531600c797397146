"""What failed of a run is tried again in the background, each message once, whoever is killed or asks twice."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.authentication import create_key
from accounts.channels import Mode
from campaigns import controlling, deciding, progress, retrying
from campaigns.models import Run
from campaigns.vocabulary import RunState
from notifications import recovery
from notifications.models import Batch, DeadLetter, Delivery, DeliveryEvent
from tests.builders import Caller, administrator, shown
from tests.campaigns.stage import begun, campaign, crowd, deliveries, worked_off

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "STEP", 3)


def failed_run(people: int = 0, *templates: str) -> Run:
    """One that is over, of which everything failed because every attempt did."""
    crowd(people)
    run = begun(campaign(*templates))
    worked_off()
    died(deliveries(run))
    Run.objects.filter(pk=run.pk).update(state=RunState.FINISHED, finished_at=timezone.now())
    recovery.keep_tally()
    return run


def died(of: Sequence[Delivery]) -> None:
    at = timezone.now()
    Batch.objects.all().delete()
    for one in of:
        Delivery.objects.filter(pk=one.pk).update(state="failed", reason="attempts_exhausted", due_at=None)
        DeadLetter.objects.create(delivery_id=one.pk, notification_id=one.notification_id, queue=one.queue, at=at)


def now(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def of_state(run: Run, state: str) -> int:
    return sum(one.state == state for one in deliveries(run))


def times_tried() -> int:
    return DeliveryEvent.objects.filter(kind="replayed").count()


def worked(at: datetime | None = None) -> None:
    retrying.go_on(clock=lambda: at or timezone.now())


def test_a_run_is_running_at_once_and_says_how_many_wait_to_be_tried_again() -> None:
    run = failed_run(10)

    assert controlling.retry_failed(run.pk, timezone.now()).replayed == 10

    assert (now(run).state, now(run).finished_at, now(run).to_retry) == (RunState.RUNNING, None, 10)
    assert times_tried() == 0, "the request itself tries nothing"


def test_what_failed_is_tried_again_step_by_step_until_nothing_is_left() -> None:
    run = failed_run(10)
    controlling.retry_failed(run.pk, timezone.now())

    assert retrying.retry_step(timezone.now())
    assert (now(run).to_retry, of_state(run, "retrying")) == (7, 3)
    worked()

    assert (now(run).to_retry, of_state(run, "retrying")) == (0, 10)
    assert not DeadLetter.objects.exists()
    assert not retrying.retry_step(timezone.now())


def test_of_every_variant_it_is_tried_again() -> None:
    run = failed_run(40, "sale", "outlet")
    assert {one.notification_id for one in deliveries(run)} == set(run.notification_ids())
    controlling.retry_failed(run.pk, timezone.now())

    worked()

    assert (of_state(run, "retrying"), now(run).to_retry) == (40, 0)


def test_asking_twice_tries_nothing_twice() -> None:
    run = failed_run(10)
    controlling.retry_failed(run.pk, timezone.now())
    retrying.retry_step(timezone.now())

    assert controlling.retry_failed(run.pk, timezone.now()).replayed == 7
    worked()

    assert (times_tried(), of_state(run, "retrying"), now(run).to_retry) == (10, 10, 0)


def test_a_worker_that_is_killed_in_a_step_leaves_nothing_of_it_and_another_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = failed_run(10)
    controlling.retry_failed(run.pk, timezone.now())
    retrying.retry_step(timezone.now())

    def killed(*_args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(retrying, "Greatest", killed)
        with pytest.raises(SystemExit):
            retrying.retry_step(timezone.now())
    assert (now(run).to_retry, of_state(run, "retrying"), DeadLetter.objects.count()) == (7, 3, 7)

    worked()
    assert (times_tried(), of_state(run, "retrying")) == (10, 10)


def test_what_fails_once_more_meanwhile_is_not_tried_without_end() -> None:
    run = failed_run(10)
    controlling.retry_failed(run.pk, timezone.now())
    retrying.retry_step(timezone.now())
    died([one for one in deliveries(run) if one.state == "retrying"])

    worked()

    assert (of_state(run, "failed"), of_state(run, "retrying"), times_tried(), now(run).to_retry) == (3, 7, 10, 0)


def test_a_late_receipt_for_all_of_a_step_ends_nothing() -> None:
    run = failed_run(10)
    controlling.retry_failed(run.pk, timezone.now())
    arrived = DeadLetter.objects.order_by("at").values_list("delivery_id", flat=True)[:6]
    Delivery.objects.filter(pk__in=list(arrived)).update(state="delivered", reason="")

    worked()

    assert (of_state(run, "delivered"), of_state(run, "retrying"), now(run).to_retry) == (6, 4, 0)


def test_what_somebody_else_tried_again_or_erased_meanwhile_is_not_waited_for() -> None:
    run = failed_run(5)
    controlling.retry_failed(run.pk, timezone.now())
    DeadLetter.objects.all().delete()

    worked()

    assert now(run).to_retry == 0


def test_a_run_is_not_over_while_something_waits_to_be_tried_again() -> None:
    run = failed_run(3)
    controlling.retry_failed(run.pk, timezone.now())

    deciding.watch(clock=timezone.now)

    assert now(run).state == RunState.RUNNING


def test_a_run_that_was_just_found_to_be_over_is_not_where_somebody_asks_at_that_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = failed_run(3)
    Run.objects.filter(pk=run.pk).update(state=RunState.RUNNING)

    def found_over_and_asked(_run: Run) -> bool:
        controlling.retry_failed(run.pk, timezone.now())
        worked()
        return True

    monkeypatch.setattr(progress, "nothing_waits", found_over_and_asked)
    deciding.watch(clock=timezone.now)

    assert (now(run).state, of_state(run, "retrying")) == (RunState.RUNNING, 3)


def test_nothing_is_asked_of_a_run_of_which_nothing_failed() -> None:
    run = begun(campaign())
    Run.objects.filter(pk=run.pk).update(state=RunState.FINISHED)

    assert controlling.retry_failed(run.pk, timezone.now()).replayed == 0
    assert now(run).state == RunState.FINISHED


def test_cancelling_a_run_stops_it_and_withdraws_what_was_queued_again() -> None:
    run = failed_run(10)
    controlling.retry_failed(run.pk, timezone.now())
    retrying.retry_step(timezone.now())

    assert controlling.withdraw(run.pk, timezone.now()).cancelled == 3
    worked()

    assert (of_state(run, "cancelled"), of_state(run, "failed"), now(run).to_retry) == (3, 7, 0)
    with pytest.raises(controlling.CannotDo, match="is cancelled"):
        controlling.retry_failed(run.pk, timezone.now())


def test_of_a_paused_run_nothing_is_queued_until_it_goes_on() -> None:
    run = failed_run(10)
    controlling.retry_failed(run.pk, timezone.now())
    controlling.pause(run.pk, timezone.now())
    worked()
    assert now(run).to_retry == 10

    controlling.resume(run.pk, timezone.now())
    worked()

    assert now(run).to_retry == 0


def test_two_runs_of_which_it_was_asked_have_their_turn_one_after_the_other() -> None:
    first, second = failed_run(4), failed_run(0, "outlet")
    controlling.retry_failed(second.pk, timezone.now())
    controlling.retry_failed(first.pk, timezone.now())

    retrying.retry_step(timezone.now())

    assert (of_state(first, "retrying"), of_state(second, "retrying")) == (0, 3)


def test_the_page_tells_how_many_are_left() -> None:
    run = failed_run(10)
    browser = administrator()

    told = shown(browser.post(reverse("admin:campaigns_run_retry", args=[run.pk]), follow=True))

    assert "10 messages are tried again" in told
    assert "<dt>Yet to be tried again</dt><dd>10</dd>" in told
    worked()
    assert "Yet to be tried again" not in shown(browser.get(reverse("admin:campaigns_run_change", args=[run.pk])))
    again = browser.post(reverse("admin:campaigns_run_retry", args=[run.pk]), follow=True)
    assert "nothing is tried again" in shown(again)


def test_the_api_tells_how_many_are_left() -> None:
    run = failed_run(10)
    key = create_key(run.campaign.application, Mode.LIVE)
    shop = Caller(key.key, key.secret)

    answer = shop.post(f"/v1/campaigns/{run.campaign_id}/retry", None)

    assert (answer.status_code, answer.json()) == (202, {"replayed": 10})
    assert shop.get(f"/v1/campaigns/{run.campaign_id}").json()["run"]["to_retry"] == 10
