"""What can go wrong, each as a function that does it to a running platform and returns when it is over."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import redis

from benchmarks.chaos.loads import Load, campaign, posts
from benchmarks.stage import ROOT, Stage, Void

#: Seconds that an outage lasts.
OUTAGE: Final = 6.0
#: Seconds of the lease that the platform is started with, so that a frozen worker oversleeps soon.
LEASE: Final = 5
_WORKERS: Final = ("ios", "android", "planner", "receipts")


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble.

    `doubts`: whether messages may have left without an answer, so that some are sent twice where the category resends.
    `share` is how many of all: 0 for what is under way at one moment. `load` is what it strikes.
    """

    text: str
    strike: Callable[[Stage], None]
    doubts: bool = False
    share: float = 0.0
    load: Load = campaign


def _kill_workers(stage: Stage) -> None:
    """kill -9 for a random worker every second."""
    ends_at = time.monotonic() + OUTAGE
    while time.monotonic() < ends_at:
        line = random.choice(_WORKERS)
        for pid in _pids(stage, f"-n {line}."):
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)


def _flush_redis(stage: Stage) -> None:
    with redis.Redis.from_url(stage.about["redis_url"]) as client:
        client.flushall()


def _stop_redis(stage: Stage) -> None:
    """Gone without a word, and back with nothing in it."""
    with redis.Redis.from_url(stage.about["redis_url"]) as client:
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
    time.sleep(OUTAGE)
    _start_servers(stage)


def _restart_postgres(stage: Stage) -> None:
    """As `pg_ctl stop -m immediate` does it: no checkpoint, recovery from the log at the next start."""
    (data,) = stage.rows("SHOW data_directory")[0]
    pid = int((Path(data) / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=20)
    _start_servers(stage)


def _freeze_workers(stage: Stage) -> None:
    """SIGSTOP past the lease, then SIGCONT: the sweep has taken over, and the sleepers wake up in mid-batch."""
    frozen = [pid for line in ("ios", "android") for pid in _pids(stage, f"-n {line}.")]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(LEASE + 4)
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)


def _stop_beat(stage: Stage) -> None:
    """Beat killed; its supervisor starts another, and a second one runs beside it for a while."""
    for pid in _pids(stage, "config beat"):
        os.kill(pid, signal.SIGKILL)
    second = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile=", "--loglevel=ERROR"],
        cwd=ROOT, env=stage.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(OUTAGE)
    second.terminate()
    second.wait(timeout=20)


def _kill_web(stage: Stage) -> None:
    """kill -9 for the web server and its workers, whenever it has come up again."""
    ends_at = time.monotonic() + OUTAGE
    while time.monotonic() < ends_at:
        for pid in _pids(stage, "granian"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(2)


def _call_dead(stage: Stage) -> None:
    """Both push services say of every token that it is dead, as they do when the wrong credentials were deployed.

    Raises `Void` when a device was retired on their word.
    """
    _failing(
        stage, {"apns": {"status": 410, "reason": "Unregistered"}, "fcm": {"status": 404, "reason": "UNREGISTERED"}}
    )
    (retired,) = stage.rows("SELECT count(*) FROM accounts_device WHERE retired_at IS NOT NULL")[0]
    if retired:
        raise Void(f"{retired} devices were retired")


def _provider(fault: Mapping[str, object]) -> Callable[[Stage], None]:
    """Both push services fail in one way, for the length of an outage."""

    def strike(stage: Stage) -> None:
        _failing(stage, {"apns": fault, "fcm": fault})

    return strike


def _failing(stage: Stage, faults: Mapping[str, Mapping[str, object]]) -> None:
    for name, fault in faults.items():
        stage.sandbox("PUT", f"faults/{name}", {"latency_ms": 50, **fault})
    time.sleep(OUTAGE)
    for name in faults:
        stage.sandbox("PUT", f"faults/{name}", {"latency_ms": 50})


FAULTS: Final[Mapping[str, Fault]] = {
    "kill_workers": Fault("kill -9 a random worker every second", _kill_workers, doubts=True),
    "flush_redis": Fault("FLUSHALL of Redis", _flush_redis),
    "stop_redis": Fault("Redis killed, back empty", _stop_redis),
    "restart_postgres": Fault("PostgreSQL stopped immediately, started again", _restart_postgres, doubts=True),
    "freeze_workers": Fault("workers frozen past their lease and woken", _freeze_workers, doubts=True),
    "provider_503": Fault("providers answer 503", _provider({"status": 503})),
    "provider_429": Fault("providers answer 429 with Retry-After: 2", _provider({"status": 429, "retry_after": 2})),
    "reset_after_body": Fault(
        "a fifth of the connections reset after the body",
        _provider({"mode": "reset_after_body", "rate": 0.2}),
        doubts=True,
        share=0.25,
    ),
    "late_answers": Fault("providers answer after the timeout", _provider({"latency_ms": 15_000}), doubts=True),
    "all_dead": Fault("every token reported dead at once", _call_dead),
    "kill_web": Fault("kill -9 the web process under POSTs", _kill_web, load=posts),
    "stop_beat": Fault("beat killed, then two at once", _stop_beat),
}


def _pids(stage: Stage, words: str) -> list[int]:
    """Processes of this platform whose command line holds `words`."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "environ"]):
        line = " ".join(process.info["cmdline"] or [])
        environ = process.info["environ"] or {}
        if words in line and environ.get("BONGSU_RUN_DIR") == str(stage.run_dir):
            found.append(int(process.info["pid"]))
    return found


def _start_servers(stage: Stage) -> None:
    env = {name: value for name, value in stage.env.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    subprocess.run(
        [sys.executable, "-m", "config.embedded", "start"],
        cwd=ROOT, env=env, check=True, capture_output=True,
    )  # fmt: skip
