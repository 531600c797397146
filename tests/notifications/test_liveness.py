"""A worker is well when it gets on, not when it is alive."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from config.celery import app
from notifications import health, queues
from notifications.ledger.claim import claim
from notifications.liveness import Sign, Signing, folder_in, signs, stuck
from notifications.vocabulary import Lane
from tests.notifications.logbook import LEASE, SMS, appended

pytestmark = pytest.mark.django_db

PATIENCE = 60.0
LONG_AGO = 300.0


def sign(*, task: str = "", turned: float = 0.0, moved: float = 0.0, **changes: Any) -> Sign:
    """A worker for text messages that runs; `turned` and `moved` are seconds ago."""
    now = time.monotonic()
    usual = Sign("sms.1@here", os.getpid(), ("sms.critical", "sms", "sms.retry", "sms.bulk"), task, now, now)
    return replace(usual, turned_at=now - turned, moved_at=now - moved, **changes)


def trouble(one: Sign) -> str:
    """What is found wrong with a worker."""
    (finding,) = health.examine([one], timezone.now(), patience=PATIENCE)
    return finding.trouble


def due_since(seconds: float) -> None:
    """Deliveries that have been due for so long, and of which the broker was told."""
    appended(2, at=timezone.now() - timedelta(seconds=seconds))
    queues.hint([SMS])


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """Where workers of this test keep their files."""
    settings.RUN_DIR = tmp_path
    folder_in(tmp_path).mkdir()
    return folder_in(tmp_path)


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[Signing]:
    """A worker's file, as the worker keeps it."""
    one = Signing()
    one.on(tmp_path / "progress", "sms.1@here", ["sms", "sms.bulk"])
    yield one
    one.off()


# --- what a worker says of itself ------------------------------------------------------------------------
def test_a_worker_says_what_it_does(signing: Signing, tmp_path: Path) -> None:
    signing.began("notifications.dispatch")
    (working,) = signs(tmp_path / "progress")
    signing.ended()
    (waiting,) = signs(tmp_path / "progress")

    assert (working.worker, working.pid, working.task) == ("sms.1@here", os.getpid(), "notifications.dispatch")
    assert waiting.task == ""
    assert waiting.moved_at >= working.moved_at


def test_a_worker_that_ended_in_good_order_leaves_no_file(signing: Signing, tmp_path: Path) -> None:
    signing.off()

    assert list((tmp_path / "progress").iterdir()) == []


def test_what_a_killed_worker_left_behind_is_passed_over(folder: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (folder / "sms.1@here.json").write_text(json.dumps(asdict(sign(pid=gone.pid))))

    assert signs(folder) == []


def test_half_a_file_is_no_worker(folder: Path) -> None:
    (folder / "sms.1@here.json").write_text('{"worker": "sms')

    assert signs(folder) == []


def test_a_process_that_is_no_worker_keeps_no_file(tmp_path: Path) -> None:
    web = Signing()

    web.moved()
    web.ended()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reads"), [("sms", True), ("sms.bulk", True), ("ios", False), ("sm", False), ("planner", False)]
)
def test_a_worker_is_named_by_what_it_reads(name: str, *, reads: bool) -> None:
    assert sign().reads(name) is reads


# --- stuck -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({}, ""),
        ({"moved": LONG_AGO}, ""),
        ({"task": "notifications.dispatch", "turned": LONG_AGO}, ""),
        (
            {"task": "notifications.dispatch", "turned": LONG_AGO, "moved": LONG_AGO},
            "in the task notifications.dispatch",
        ),
        ({"turned": LONG_AGO, "moved": LONG_AGO}, "event loop has not turned"),
    ],
    ids=["just worked", "idle, its loop turns", "a long turn that moves", "a task that hangs", "a frozen process"],
)
def test_what_counts_is_progress(what: dict[str, Any], words: str) -> None:
    told = stuck(sign(**what), time.monotonic(), PATIENCE)

    assert (words in told) if words else told == ""


def test_a_stuck_worker_is_named_with_what_to_do() -> None:
    told = trouble(sign(task="notifications.dispatch", moved=LONG_AGO))

    assert "sms.1@here" in told
    assert f"pid {os.getpid()}" in told
    assert "pg_stat_activity" in told


# --- up, and consuming nothing ---------------------------------------------------------------------------
def test_a_worker_that_lets_due_deliveries_lie_although_it_was_told_is_ill() -> None:
    due_since(LONG_AGO)

    told = trouble(sign(moved=LONG_AGO))

    assert "messages wait in sms" in told
    assert "due since 300 s" in told


@pytest.mark.parametrize("moved", [1.0, LONG_AGO], ids=["has just worked", "has been idle"])
def test_a_worker_is_well_while_what_is_due_is_young(moved: float) -> None:
    due_since(1)

    assert trouble(sign(moved=moved)) == ""


def test_a_worker_that_works_elsewhere_is_well_however_long_a_lane_waits() -> None:
    due_since(LONG_AGO)

    assert trouble(sign(moved=1)) == ""


def test_a_worker_that_nobody_told_is_not_to_blame(redis_client: Any) -> None:
    due_since(LONG_AGO)
    redis_client.flushdb()

    assert trouble(sign(moved=LONG_AGO)) == ""


def test_what_others_hold_is_not_waiting() -> None:
    due_since(LONG_AGO)
    claim(SMS, at=timezone.now(), lease_for=LEASE)

    assert trouble(sign(moved=LONG_AGO)) == ""


def test_a_worker_is_not_to_blame_for_lanes_of_others() -> None:
    due_since(LONG_AGO)

    assert trouble(sign(moved=LONG_AGO, queues=(Lane.IOS.value,))) == ""


def test_a_planner_that_leaves_its_messages_lying_is_ill() -> None:
    queues.hint_planner()

    assert "messages wait in planner" in trouble(sign(moved=LONG_AGO, queues=("planner",)))


# --- without Redis ---------------------------------------------------------------------------------------
@pytest.fixture
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "connection_for_read", lambda: app.connection("redis://127.0.0.1:1/0"))


@pytest.mark.usefixtures("_no_broker")
def test_a_worker_that_waits_for_the_broker_is_not_restarted_for_it() -> None:
    assert trouble(sign(turned=LONG_AGO, moved=LONG_AGO)) == ""


@pytest.mark.usefixtures("_no_broker")
def test_a_task_that_hangs_is_found_without_the_broker_too() -> None:
    assert "in the task" in trouble(sign(task="notifications.dispatch", turned=LONG_AGO, moved=LONG_AGO))


# --- the command -----------------------------------------------------------------------------------------
def test_the_command_says_nothing_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.json").write_text(json.dumps(asdict(sign())))

    call_command("worker_health", "--queue", "sms")

    assert "sms.1@here" in capsys.readouterr().out


def test_the_command_fails_with_a_sentence(folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps(asdict(sign(task="notifications.dispatch", moved=LONG_AGO))))

    with pytest.raises(CommandError, match="has made no progress"):
        call_command("worker_health")


def test_a_line_without_a_worker_is_trouble(folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps(asdict(sign())))

    with pytest.raises(CommandError, match="No worker that reads ios runs here"):
        call_command("worker_health", "--queue", "ios")


def test_programs_get_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.json").write_text(json.dumps(asdict(sign())))

    call_command("worker_health", "--json")

    (told,) = json.loads(capsys.readouterr().out)
    assert (told["worker"], told["pid"], told["trouble"]) == ("sms.1@here", os.getpid(), "")
