"""A worker that lives and does not get on is ended and started again, and what waited for it gets out."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest

from tests.processes.platform import Platform, platform
from tests.waiting import until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

DATA = {"user_name": "지민", "product_name": "운동화"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that is soon of the opinion that a worker is stuck."""
    with platform(
        tmp_path_factory.mktemp("watch"), STALL_SECONDS="10", LEASE_SECONDS="5", PROVIDER_SECONDS="2"
    ) as started:
        yield started


def text_message(running: Platform, **changes: object) -> str:
    """One notification to one phone; its id."""
    body = {"template": "restock", "recipients": [{"phone": "+821012345678"}], "data": DATA, "channels": ["sms"]}
    return str(running.ask("/v1/notifications", body | changes)["id"])


def state(running: Platform, notification: str) -> str:
    return str(running.rows("SELECT state FROM notifications_delivery WHERE notification_id = %s", notification)[0][0])


def log_of(running: Platform, line: str) -> str:
    return (Path(running.env["BONGSU_RUN_DIR"]) / "logs" / f"{line}.log").read_text()


def test_a_frozen_worker_is_replaced(running: Platform) -> None:
    frozen = until(lambda: running.worker("sms"))
    until(lambda: state(running, text_message(running)) in {"queued", "sending", "sent", "delivered"})
    os.kill(frozen, signal.SIGSTOP)

    notification = text_message(running)

    until(lambda: state(running, notification) in {"sent", "delivered"}, seconds=90)
    assert running.worker("sms") != frozen
    assert "event loop has not turned" in log_of(running, "sms") or "made no progress" in log_of(running, "sms")


def test_a_worker_whose_task_hangs_is_replaced(running: Platform) -> None:
    stuck = until(lambda: running.worker("sms"))
    notification = text_message(running, send_at=(datetime.now(tz=UTC) + timedelta(seconds=4)).isoformat())
    with psycopg2.connect(running.about["database_url"]) as locker, locker.cursor() as cursor:
        # somebody's forgotten transaction: the claim waits for this row
        cursor.execute("SELECT 1 FROM notifications_delivery WHERE notification_id = %s FOR UPDATE", [notification])
        until(lambda: running.worker("sms") not in {0, stuck}, seconds=90)
        locker.rollback()

    until(lambda: state(running, notification) in {"sent", "delivered"}, seconds=60)
    assert "in the task notifications.dispatch" in log_of(running, "sms")


def test_nobody_else_was_ended(running: Platform) -> None:
    assert {line: running.worker(line) for line in ("ios", "email", "planner", "receipts")} == {
        line: running.process(line) for line in ("ios", "email", "planner", "receipts")
    }
