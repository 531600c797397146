"""SIGTERM ends every process within ten seconds, in good order; what a worker held is neither lost nor sent twice."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.supervisor import procfile
from notifications.liveness import folder_in, signs
from tests.processes.platform import CHECKOUT, Platform, platform, write_audience
from tests.waiting import until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

PEOPLE = 1200
LINES = list(procfile.read(CHECKOUT / "Procfile"))
#: What the lines without a worker run; a worker says itself when it is ready.
MARKS = {"web": "granian --interface", "beat": "-A config beat"}
#: What those who start processes usually grant.
GRACE = 10


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with leases as long as in production, and somebody to write to."""
    folder = tmp_path_factory.mktemp("stopping")
    file = folder / "audience.csv"
    write_audience(file, people=PEOPLE, devices=PEOPLE)
    with platform(folder) as started:
        started.manage("import_recipients", str(file))
        # what is in doubt is held, so that whatever is sent twice is a mistake
        started.rows("UPDATE accounts_category SET in_doubt = 'hold' RETURNING id")
        yield started


def terminated(running: Platform, line: str) -> str:
    """SIGTERM to the process of a line, until it is gone and another serves; what its supervisor says of its end."""
    log = Path(running.env["BONGSU_RUN_DIR"]) / "logs" / f"{line}.log"
    before = log.read_text().count("starting again")
    process = psutil.Process(pid_of(running, line))
    os.kill(process.pid, signal.SIGTERM)
    psutil.wait_procs([process], timeout=GRACE)
    assert not process.is_running(), f"{line} took more than {GRACE} s"
    until(lambda: log.read_text().count("starting again") > before)
    until(running.answers, seconds=60)
    return next(text for text in reversed(log.read_text().splitlines()) if "starting again" in text)


def pid_of(running: Platform, line: str) -> int:
    """The process that serves a line of the Procfile, as soon as it does."""

    def found() -> int:
        for process in psutil.process_iter(["pid", "cmdline", "environ"]):
            command = " ".join(process.info["cmdline"] or [])
            theirs = (process.info["environ"] or {}).get("BONGSU_RUN_DIR") == running.env["BONGSU_RUN_DIR"]
            if theirs and MARKS[line] in command and catches_sigterm(process.info["pid"]):
                return int(process.info["pid"])
        return 0

    def ready() -> int:
        folder = folder_in(Path(running.env["BONGSU_RUN_DIR"]))
        return next((sign.pid for sign in signs(folder) if sign.worker.startswith(f"{line}.1@")), 0)

    return until(found if line in MARKS else ready, seconds=60)


def catches_sigterm(pid: int) -> bool:
    """A process that has just started does not yet; the mask of caught signals is in its status (proc(5), SigCgt)."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) & 1 << (signal.SIGTERM - 1))


def campaign(running: Platform, *, latency_ms: int) -> str:
    """A notification to everybody's iPhone, by a provider that takes its time; its id."""
    running.sandbox("DELETE", "record")
    # one answer first: to a provider that it does not know, the wire sends one request and waits
    running.sandbox("DELETE", "faults")
    first = running.ask("/v1/notifications", body(recipients=["person-000001"]))["id"]
    until(lambda: not unfinished(running, first), seconds=60)
    running.sandbox("PUT", "faults/apns", {"latency_ms": latency_ms})
    return str(running.ask("/v1/notifications", body(audience={"external_id_prefix": "person-"}))["id"])


def body(**whom: object) -> dict[str, object]:
    data = {"user_name": "지민", "product_name": "운동화"}
    return {"template": "restock", "data": data, "channels": ["push"], "urgency": "bulk"} | whom


def states(running: Platform, notification: str) -> Counter[str]:
    """How many of its deliveries to iPhones are in each state."""
    counted = (
        "SELECT state, count(*) FROM notifications_delivery WHERE notification_id = %s AND queue = 'ios' GROUP BY 1"
    )
    return Counter(dict(running.rows(counted, notification)))


def unfinished(running: Platform, notification: str) -> int:
    found = states(running, notification)
    return sum(found[state] for state in ("scheduled", "queued", "sending", "retrying"))


def leases(running: Platform) -> set[str]:
    return {
        str(row[0])
        for row in running.rows(
            "SELECT lease_id FROM notifications_batch WHERE lane LIKE 'ios%%' AND lease_id IS NOT NULL"
        )
    }


@pytest.mark.parametrize("line", LINES)
def test_every_process_ends_in_good_order(running: Platform, line: str) -> None:
    assert "status 0" in terminated(running, line)


@pytest.mark.parametrize(
    ("latency_ms", "leaves_doubt"), [(500, False), (8000, True)], ids=["answers in time", "answers too late"]
)
def test_a_worker_that_is_stopped_in_mid_campaign(running: Platform, latency_ms: int, *, leaves_doubt: bool) -> None:
    notification = campaign(running, latency_ms=latency_ms)
    until(lambda: states(running, notification)["sending"] >= 400, seconds=60)
    # a lease is taken before the first request leaves: the one is seen in the log, the other by the first answer
    until(lambda: states(running, notification)["sent"], seconds=60)
    held = leases(running)
    assert held

    told = terminated(running, "ios")

    assert "status 0" in told
    assert not held & leases(running), "a lease is left to run out"
    after = states(running, notification)
    assert bool(after["uncertain"]) is leaves_doubt

    running.sandbox("DELETE", "faults")
    until(lambda: not unfinished(running, notification), seconds=120)
    ended = states(running, notification)
    assert ended["uncertain"] == after["uncertain"], "those after it left no doubt"
    assert ended["sent"] + ended["delivered"] + ended["uncertain"] == PEOPLE // 2
    arrived = running.arrived()
    sent = running.rows(
        "SELECT id::text FROM notifications_delivery WHERE notification_id = %s AND state IN ('sent', 'delivered')",
        notification,
    )
    assert {row[0] for row in sent} <= set(arrived), "nothing is lost"
    assert set(arrived.values()) == {1}, "nothing is doubled"
