"""Signs of progress: each worker process keeps a small file that says what it does and when it last got on.

That a process exists says little: it may wait for a lock, or for a provider that never answers. With the solo pool a
task blocks the event loop, so two moments are kept: when the loop last turned, and when work last moved on (a task
began or ended, a claim, an answer). A file needs neither Redis nor PostgreSQL, and who looks is on the same machine.
Free of Django: the supervisor reads it too.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

#: Seconds without progress after which a worker is held to be stuck, where nobody says otherwise: providers have ten
#: for an answer, and PostgreSQL is not silent for as long unless something is locked.
STALL: Final = 60.0
#: Seconds between two writes, however often work moves on.
_WRITE_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Sign:
    """What a worker process last said of itself.

    Moments are seconds of the machine's monotonic clock, which all its processes share and nobody sets. `task` is empty
    while it waits for work. `waiting` is what a worker that sweeps saw at `looked_at`: for how many seconds the oldest
    delivery of each lane was due.
    """

    worker: str
    pid: int
    queues: tuple[str, ...]
    task: str
    turned_at: float
    moved_at: float
    looked_at: float = 0.0
    waiting: Mapping[str, float] = field(default_factory=dict)

    def reads(self, name: str) -> bool:
        """Whether this worker reads a Celery queue of that name, or a lane of a queue of that name."""
        return any(queue == name or queue.startswith(f"{name}.") for queue in self.queues)

    @property
    def got_on_at(self) -> float:
        """When it last showed what is expected of it: in a task progress, between tasks a turn of the loop."""
        return self.moved_at if self.task else max(self.turned_at, self.moved_at)


class Signing:
    """This process's own file. Until `on` is called nothing is written: web servers and tests keep none."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._sign = Sign("", 0, (), "", 0.0, 0.0)
        self._written_at = 0.0

    def on(self, folder: Path, worker: str, queues: Iterable[str]) -> None:
        """Begin to keep the file of `worker`, which reads `queues`."""
        folder.mkdir(parents=True, exist_ok=True)
        now = time.monotonic()
        self._file = folder / f"{worker.replace(os.sep, '_')}.json"
        self._sign = Sign(worker, os.getpid(), tuple(queues), "", now, now)
        self._write()

    def off(self) -> None:
        """The worker ends: no file, nobody to look after."""
        if self._file:
            self._file.unlink(missing_ok=True)
        self._file = None

    def turned(self) -> None:
        """The event loop turned."""
        self._sign = replace(self._sign, turned_at=time.monotonic())
        self._write()

    def began(self, task: str) -> None:
        """A task began, which will block the loop."""
        self._sign = replace(self._sign, task=task, moved_at=time.monotonic())
        self._write()

    def ended(self) -> None:
        """The task ended, in whatever way."""
        self.began("")

    def moved(self) -> None:
        """Work got on within a task. Cheap: it may be called for every claim and every answer."""
        now = time.monotonic()
        if self._file and now - self._written_at > _WRITE_EVERY:
            self._sign = replace(self._sign, moved_at=now)
            self._write()

    def saw(self, waiting: Mapping[str, float]) -> None:
        """What is due, as the ledger says: who judges an idle worker need not ask it then."""
        self._sign = replace(self._sign, looked_at=time.monotonic(), waiting=waiting)

    def _write(self) -> None:
        if self._file is None:
            return
        self._written_at = time.monotonic()
        # beside it and then in its place: a reader never finds half of it. A full disk must not stop a worker.
        fresh = self._file.with_suffix(".new")
        with suppress(OSError):
            fresh.write_text(json.dumps(asdict(self._sign)))
            fresh.replace(self._file)


signing: Final = Signing()


def folder_in(run_dir: Path) -> Path:
    """Where the workers of a machine keep their files."""
    return run_dir / "progress"


def signs(folder: Path) -> Sequence[Sign]:
    """The signs of all workers that run on this machine; what a killed one left behind is passed over."""
    found = []
    for file in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            told = json.loads(file.read_text())
            found.append(Sign(**{**told, "queues": tuple(told["queues"])}))
    return [sign for sign in found if _runs(sign.pid)]


def stuck(sign: Sign, now: float, patience: float) -> str:
    """What is wrong, and what to do about it, where a worker has not got on for `patience` seconds; else empty."""
    waited = now - sign.got_on_at
    if waited <= patience:
        return ""
    if sign.task:
        return (
            f"{sign.worker} (pid {sign.pid}) is in the task {sign.task} and has made no progress for {waited:.0f} s: "
            "it waits for something that does not come. Look for a lock in pg_stat_activity and at the providers' "
            "latency, and start it anew; its lease runs out, and others take over what it held."
        )
    return (
        f"{sign.worker} (pid {sign.pid}) waits for work, but its event loop has not turned for {waited:.0f} s: "
        "it is frozen or blocked. Start it anew."
    )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
