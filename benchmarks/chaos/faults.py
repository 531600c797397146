"""What can go wrong, each as a function that does it to a running platform and returns when it is over."""

import contextlib
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import redis

from benchmarks.chaos import storm
from benchmarks.chaos.loads import DOORS, ROUNDS, SHARE, Load, campaign, everything, posts, texts, through_doors
from benchmarks.chaos.processes import kill, pids
from benchmarks.stage import ROOT, Stage, Void

_WORKERS: Final = ("ios", "android", "planner", "receipts")


class Unfit(Exception):
    """This machine cannot bring a fault about; the message says why."""


class Broken(Exception):
    """A promise that this fault puts to the test was not kept; the message says which."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble. `strike` does it, for so many seconds where it lasts.

    `doubts`: whether messages may have left without an answer, so that some are sent twice where the category resends.
    `holds`: what else is promised, looked at when nothing is left to be done; it raises `Broken`.
    `is_measured`: it promises a rate, which something else on the machine can spoil, so one that was missed is measured
    again. `struck`: how many workers it takes from what they have under way, one after the other or together.
    `share` is how many of all: 0 for what is under way at one moment. `load` is what it strikes, `people` how many that
    reaches for each with a device. `scene`: the environment of a platform of its own, where it needs one. `outage`: the
    seconds that it lasts in a full run. `only_held`: it is tried where doubt must double nothing, and not elsewhere.
    """

    text: str
    strike: Callable[[Stage, float], None]
    doubts: bool = False
    share: float = 0.0
    load: Load = campaign
    people: float = 1.0
    scene: Callable[[], AbstractContextManager[Mapping[str, str]]] | None = None
    outage: float = 6.0
    struck: int = 2
    is_measured: bool = False
    only_held: bool = False
    holds: Callable[[Stage], None] = lambda _stage: None

    @property
    def categories(self) -> Sequence[str]:
        """In which kinds of category it is tried: one that resends what is in doubt, and one that holds it."""
        if self.only_held:
            return ("hold",)
        return ("resend", "hold") if self.doubts else ("resend",)


def _kill_workers(stage: Stage, outage: float) -> None:
    """kill -9 for a random worker every second."""
    ends_at = time.monotonic() + outage
    while time.monotonic() < ends_at:
        line = random.choice(_WORKERS)
        kill(pids(stage, f"-n {line}."))
        time.sleep(1)


def _storm(stage: Stage, outage: float) -> None:
    """Raises `Broken` when a pause held nothing."""
    try:
        storm.strike(stage, outage)
    except storm.Disagreement as error:
        raise Broken(str(error)) from None


def _report_agrees(stage: Stage) -> None:
    """Raises `Broken` when the report of the campaign counts anything else than the log and the providers."""
    try:
        storm.agrees(stage)
    except storm.Disagreement as error:
        raise Broken(str(error)) from None


def _flush_redis(stage: Stage, _outage: float) -> None:
    with redis.Redis.from_url(stage.about["redis_url"]) as client:
        client.flushall()


def _stop_redis(stage: Stage, outage: float) -> None:
    """Gone without a word, and back with nothing in it."""
    with redis.Redis.from_url(stage.about["redis_url"]) as client:
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
    time.sleep(outage)
    _start_servers(stage)


def _restart_postgres(stage: Stage, _outage: float) -> None:
    """As `pg_ctl stop -m immediate` does it: no checkpoint, recovery from the log at the next start."""
    (data,) = stage.rows("SHOW data_directory")[0]
    pid = int((Path(data) / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=20)
    _start_servers(stage)


def _freeze_workers(stage: Stage, _outage: float) -> None:
    """SIGSTOP past the lease, then SIGCONT: the sweep has taken over, and the sleepers wake up in mid-batch."""
    frozen = [pid for line in ("ios", "android") for pid in pids(stage, f"-n {line}.")]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(float(stage.env["LEASE_SECONDS"]) + 4)
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)


def _stop_beat(stage: Stage, outage: float) -> None:
    """Beat killed; its supervisor starts another, and a second one runs beside it for a while."""
    kill(pids(stage, "config beat"))
    second = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile=", "--loglevel=ERROR"],
        cwd=ROOT, env=stage.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(outage)
    second.terminate()
    second.wait(timeout=20)


def _kill_web(stage: Stage, outage: float) -> None:
    """kill -9 for the web server and its workers, whenever it has come up again."""
    ends_at = time.monotonic() + outage
    while time.monotonic() < ends_at:
        kill(pids(stage, "granian"))
        time.sleep(2)


def _call_dead(stage: Stage, outage: float) -> None:
    """Both push services say of every token that it is dead, as they do when the wrong credentials were deployed."""
    dead = {"apns": {"status": 410, "reason": "Unregistered"}, "fcm": {"status": 404, "reason": "UNREGISTERED"}}
    _failing(stage, dead, outage)


def _nobody_is_retired(stage: Stage) -> None:
    """Raises `Broken` when a device was retired on their word; those are brought back, for the faults that follow."""
    retired = len(stage.rows("UPDATE accounts_device SET retired_at = NULL WHERE retired_at IS NOT NULL RETURNING id"))
    if retired:
        raise Broken(f"{retired} devices were retired")


def _disorder_receipts(stage: Stage, _outage: float) -> None:
    """Each receipt comes three times, up to two seconds late. Raises `Broken` when one of them is told twice."""
    stage.sandbox("PUT", "settings", {"receipt_copies": 3, "receipt_jitter_ms": 2000})
    left, moved_at = stage.rows(_UNTOLD), time.monotonic()
    while left != [(0, 0)]:
        if time.monotonic() - moved_at > _STANDSTILL:
            raise Broken(f"not delivered, receipts that wait: {left[0]}")
        time.sleep(0.5)
        before, left = left, stage.rows(_UNTOLD)
        if left != before:
            moved_at = time.monotonic()
    stage.sandbox("PUT", "settings", {"receipt_copies": 1, "receipt_jitter_ms": 0})
    (twice,) = stage.rows(_TOLD_TWICE)[0]
    if twice:
        raise Broken(f"{twice} receipts were written down twice")


#: Seconds in which nothing more is told, after which what is missing counts as lost.
_STANDSTILL: Final = 30.0
_UNTOLD: Final = """
    SELECT (SELECT count(*) FROM notifications_delivery WHERE channel = 'sms' AND state <> 'delivered'),
           (SELECT count(*) FROM notifications_pendingreceipt)
"""
_TOLD_TWICE: Final = """
    SELECT count(*)
      FROM (SELECT 1 FROM notifications_deliveryevent WHERE kind = 'delivered' GROUP BY delivery_id HAVING count(*) > 1)
"""


def _take_fcm_down(stage: Stage, outage: float) -> None:
    """FCM answers 503. Raises `Broken` when everybody else falls below nine tenths of the rate before and after.

    In the short windows of a quick run whatever else the machine does moves the rate by a fifth: half of it must be
    left there, which nobody keeps whose queue waits for FCM.
    """
    before = _others_per_s(stage, outage)
    stage.sandbox("PUT", "faults/fcm", {"latency_ms": 50, "status": 503})
    during = _others_per_s(stage, outage)
    stage.sandbox("PUT", "faults/fcm", {"latency_ms": 50})
    after = _others_per_s(stage, outage)
    usual = (before + after) / 2
    if during < (_KEPT if outage > _SHORT else _KEPT_SHORTLY) * usual:
        raise Broken(f"the others sent {during:.0f} a second instead of {usual:.0f}")


#: Of its rate, what a queue must keep when the provider of another one is down.
_KEPT: Final = 0.9
_KEPT_SHORTLY: Final = 0.5
#: Seconds.
_SHORT: Final = 2.0


def _others_per_s(stage: Stage, seconds: float) -> float:
    """How many deliveries a second the providers other than FCM take, over so many seconds."""
    began, already = time.monotonic(), _others(stage)
    time.sleep(seconds)
    return (_others(stage) - already) / (time.monotonic() - began)


def _others(stage: Stage) -> int:
    counts = json.loads(stage.sandbox("GET", "counts"))["providers"]
    return sum(int(tally["accepted"]) for name, tally in counts.items() if name != "fcm")


def _go_away(stage: Stage, outage: float) -> None:
    """Both push services close every connection, in good order, twice a second. Raises `Void` when that hit nothing."""
    ends_at = time.monotonic() + outage
    closed = 0
    while time.monotonic() < ends_at and _under_way(stage):
        for door in DOORS:
            closed += json.loads(stage.sandbox("POST", f"doors/{door}/goaway"))["connections"]
        time.sleep(0.5)
    if not closed:
        raise Void("no connection was there to go away")


def _under_way(stage: Stage) -> bool:
    return bool(stage.rows("SELECT 1 FROM notifications_batch LIMIT 1"))


def _set_clock_back(stage: Stage, _outage: float) -> None:
    """Ten minutes back, for every process of the platform and its servers at once; the monotonic clock goes on."""
    with Path(stage.env["FALSE_CLOCK"]).open("r+b") as shift:
        shift.write(struct.pack("q", -600))


@contextlib.contextmanager
def _false_clock() -> Iterator[Mapping[str, str]]:
    """Every process goes by a shared number of seconds, which at first are none."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Unfit("false_clock.c needs a C compiler: apt-get install gcc libc6-dev")
    with tempfile.TemporaryDirectory(prefix="bongsu-clock-") as folder:
        library, shift = Path(folder) / "false_clock.so", Path(folder) / "shift"
        source = Path(__file__).with_name("false_clock.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
        shift.write_bytes(struct.pack("q", 0))
        Path(folder).chmod(0o755)
        yield {"LD_PRELOAD": str(library), "FALSE_CLOCK": str(shift)}


def _fill_disk(stage: Stage, outage: float) -> None:
    """Not a byte is free where the database lies; then there is room again."""
    folder = Path(stage.env["TMPDIR"])
    ballast = folder / "ballast"
    ends_at = time.monotonic() + outage
    with ballast.open("wb") as file:
        while time.monotonic() < ends_at:
            with contextlib.suppress(OSError):
                free = shutil.disk_usage(folder).free
                os.posix_fallocate(file.fileno(), file.tell(), max(4096, free))
                file.seek(0, os.SEEK_END)
            time.sleep(0.05)
    ballast.unlink()
    _start_servers(stage)


@contextlib.contextmanager
def _small_disk() -> Iterator[Mapping[str, str]]:
    """A file system of one gigabyte for everything that the platform writes."""
    folder = tempfile.mkdtemp(prefix="bongsu-disk-")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1g,mode=1777", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        Path(folder).rmdir()
        raise Unfit(f"a file system of its own cannot be mounted here: {done.stderr.strip()}")
    try:
        yield {"TMPDIR": folder}
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)
        Path(folder).rmdir()


def _answer_late(stage: Stage, outage: float) -> None:
    """Both push services answer half as late again as they may, until everything that waited has been asked."""
    late = {"latency_ms": int(1500 * float(stage.env["PROVIDER_SECONDS"]))}
    _failing(stage, {"apns": late, "fcm": late}, outage)


def _provider(fault: Mapping[str, object]) -> Callable[[Stage, float], None]:
    """Both push services fail in one way, for the length of an outage."""

    def strike(stage: Stage, outage: float) -> None:
        _failing(stage, {"apns": fault, "fcm": fault}, outage)

    return strike


def _failing(stage: Stage, faults: Mapping[str, Mapping[str, object]], outage: float) -> None:
    for name, fault in faults.items():
        stage.sandbox("PUT", f"faults/{name}", {"latency_ms": 50, **fault})
    time.sleep(outage)
    for name in faults:
        stage.sandbox("PUT", f"faults/{name}", {"latency_ms": 50})


FAULTS: Final[Mapping[str, Fault]] = {
    "kill_workers": Fault("kill -9 a random worker every second", _kill_workers, doubts=True, struck=6),
    "flush_redis": Fault("FLUSHALL of Redis", _flush_redis),
    "stop_redis": Fault("Redis killed, back empty", _stop_redis, outage=20),
    "restart_postgres": Fault("PostgreSQL stopped immediately, started again", _restart_postgres, doubts=True),
    "freeze_workers": Fault("workers frozen past their lease and woken", _freeze_workers, doubts=True),
    "provider_503": Fault("providers answer 503", _provider({"status": 503}), outage=30),
    "provider_429": Fault("providers answer 429 with Retry-After: 2", _provider({"status": 429, "retry_after": 2})),
    "reset_after_body": Fault(
        "a fifth of the connections reset after the body",
        _provider({"mode": "reset_after_body", "rate": 0.2}),
        doubts=True,
        share=0.25,
    ),
    "late_answers": Fault("providers answer after the timeout", _answer_late, doubts=True),
    "all_dead": Fault("every token reported dead at once", _call_dead, holds=_nobody_is_retired),
    "kill_web": Fault("kill -9 the web process under POSTs", _kill_web, load=posts),
    "stop_beat": Fault("beat killed, then two at once", _stop_beat),
    "campaign_storm": Fault(
        "a campaign: any process killed, paused, Redis emptied",
        _storm,
        doubts=True,
        load=storm.begin,
        people=storm.TIMES,
        outage=15,
        only_held=True,
        holds=_report_agrees,
    ),
    "disorder_receipts": Fault("receipts three times and out of order", _disorder_receipts, load=texts, people=SHARE),
    "fcm_down": Fault(
        "FCM down; the others keep their rate",
        _take_fcm_down,
        load=everything,
        people=ROUNDS * (1 + 2 * SHARE),
        is_measured=True,
    ),
    "goaway": Fault("GOAWAY in mid-flight, twice a second", _go_away, load=through_doors),
    "clock_back": Fault("the clock set back by ten minutes", _set_clock_back, scene=_false_clock),
    "full_disk": Fault(
        "the disk full for the database",
        _fill_disk,
        doubts=True,
        load=everything,
        people=ROUNDS * (1 + 2 * SHARE),
        scene=_small_disk,
    ),
}


def _start_servers(stage: Stage) -> None:
    env = {name: value for name, value in stage.env.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    subprocess.run(
        [sys.executable, "-m", "config.embedded", "start"],
        cwd=ROOT, env=env, check=True, capture_output=True,
    )  # fmt: skip
