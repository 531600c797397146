"""Every run that begins has its estimate: once, whoever begins it, how late, and whoever was killed at it before."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import DataError, Error, connection
from django.utils import timezone
from pytest_django import Settings

from campaigns import beginning, controlling, deciding, estimating
from campaigns.models import Campaign, Run
from campaigns.vocabulary import RunState
from notifications.models import Notification
from templates_app import catalogue
from tests.at_once import in_threads
from tests.campaigns.stage import campaign, crowd, deliveries, worked_off
from tests.waiting import until

pytestmark = pytest.mark.django_db


def later(seconds: float = 1) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def due(of: Campaign, planned_for: datetime | None = None) -> Run:
    """A run that was made and of which nothing has begun, as whoever made it dies after the commit."""
    return Run.objects.create(campaign=of, planned_for=planned_for or later())


def watched(run: Run, at: datetime | None = None) -> Run:
    """After a look at all runs."""
    deciding.watch(clock=lambda: at or later())
    return Run.objects.get(pk=run.pk)


def counting(monkeypatch: pytest.MonkeyPatch, then: Callable[[], None] = lambda: None) -> list[Campaign]:
    """The campaigns for which an estimate is made from now on, each time after `then`."""
    asked: list[Campaign] = []
    makes = estimating.estimate

    def estimate(of: Campaign, *rest: Any, **named: Any) -> Any:
        asked.append(of)
        then()
        return makes(of, *rest, **named)

    monkeypatch.setattr(estimating, "estimate", estimate)
    return asked


def test_a_run_that_is_begun_has_its_estimate() -> None:
    crowd(5)
    run = due(campaign())

    beginning.begin([run.pk], later())

    run.refresh_from_db()
    assert (run.started_at is not None, run.estimate["reached"]) == (True, 5)


def test_a_run_that_nobody_began_is_begun_with_its_estimate_by_the_next_look() -> None:
    crowd(5)

    run = watched(due(campaign()))

    assert (run.started_at is not None, run.estimate["reached"]) == (True, 5)
    assert worked_off() == 5


def test_it_is_made_once_however_often_a_run_is_begun_and_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counting(monkeypatch)
    crowd(1)
    run = due(campaign())

    beginning.begin([run.pk], later())
    crowd(1, "late")
    beginning.begin([run.pk], later(2))

    assert watched(run, later(3)).estimate["people"] == 1
    assert len(asked) == 1


def test_an_estimate_of_a_late_run_leaves_out_for_whom_it_is_too_late() -> None:
    crowd(2, "seoul", time_zone="Asia/Seoul")
    crowd(1, "york", time_zone="America/New_York")
    nine = datetime(2027, 2, 28, 19, 0, tzinfo=UTC)  # on the first wall on earth; five hours later it is nine in Seoul

    run = watched(due(campaign(in_local_time=True, late_hours=3), nine), nine + timedelta(hours=9))

    assert run.estimate["planned"] == {"email": 1}
    assert [(one["reason"], one["people"]) for one in run.estimate["suppressed"]] == [("expired", 2)]
    worked_off(nine + timedelta(hours=9))
    assert sum(one.reason == "expired" for one in deliveries(run)) == 2


def test_what_goes_wrong_with_an_estimate_keeps_nobody_from_their_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> None:
        with pytest.raises(DataError), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        raise ArithmeticError

    counting(monkeypatch, breaks)
    crowd(3)

    run = watched(due(campaign()))

    assert (run.started_at is not None, run.estimate) == (True, {})
    assert worked_off() == 3


def test_what_cannot_begin_says_why_and_has_no_estimate() -> None:
    made = campaign()
    made.variants.get().template.versions.all().delete()
    catalogue.forget()

    run = watched(due(made))

    assert (run.state, run.note, run.estimate) == (RunState.FAILED, "No version of sale is published.", {})


def test_a_run_that_is_paused_before_it_began_is_neither_begun_nor_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counting(monkeypatch)
    crowd(1)
    run = due(campaign())
    controlling.pause(run.pk, later())

    assert watched(run).started_at is None
    assert asked == []
    controlling.resume(run.pk, later())
    assert watched(run).estimate["people"] == 1


@pytest.mark.django_db(transaction=True)
def test_who_finds_a_run_in_other_hands_leaves_it_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, looked = Event(), Event()

    def waits() -> None:
        looks.set()
        assert looked.wait(timeout=30)

    asked = counting(monkeypatch, waits)
    crowd(1)
    run = due(campaign())

    def another() -> None:
        assert looks.wait(timeout=30)
        try:
            assert watched(run).started_at is None
        finally:
            looked.set()

    in_threads(lambda: beginning.begin([run.pk], later()), another)

    run.refresh_from_db()
    assert (run.started_at is not None, run.estimate["people"], len(asked)) == (True, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_who_freezes_at_it_has_lost_it_after_a_while(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.LEASE_SECONDS = 1
    froze, begun = Event(), Event()

    def freezes() -> None:
        if not froze.is_set():
            froze.set()
            assert begun.wait(timeout=30)

    counting(monkeypatch, freezes)
    crowd(1)
    run = due(campaign())

    def frozen() -> None:
        with pytest.raises(Error):
            beginning.begin([run.pk], later())

    def another() -> None:
        assert froze.wait(timeout=30)
        try:
            until(lambda: watched(run).started_at is not None)
        finally:
            begun.set()

    in_threads(frozen, another)

    run.refresh_from_db()
    assert (run.estimate["people"], run.arms.count()) == (1, 1)


#: Whoever begins a run, and is killed when the estimate is made, or when all of it is written but not committed.
_DIES = """
import sys, time
from django.conf import settings
settings.DATABASES["default"]["NAME"], run, where = sys.argv[1:]
import django
django.setup()
from django.utils import timezone
from campaigns import beginning, estimating, launching
module, does = {"estimating": (estimating, estimating.estimate), "begun": (launching, launching.begin)}[where]
def hangs(*given, **named):
    made = does(*given, **named)
    print("there", flush=True)
    time.sleep(60)
    return made
setattr(module, does.__name__, hangs)
beginning.begin([run], timezone.now())
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["estimating", "begun"])
def test_a_beginning_that_is_killed_is_made_good_with_its_estimate(where: str) -> None:
    crowd(5)
    run = due(campaign())
    program = [sys.executable, "-c", _DIES, connection.settings_dict["NAME"], str(run.pk), where]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(program, stdout=subprocess.PIPE, env=env) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"there\n"
            assert watched(run).started_at is None, "it is in its hands"
        finally:
            worker.send_signal(signal.SIGKILL)

    until(lambda: watched(run).started_at is not None)

    run.refresh_from_db()
    assert run.estimate["reached"] == 5
    assert run.arms.count() == Notification.objects.count() == 1
    assert worked_off() == 5
