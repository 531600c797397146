"""The processes of a running platform, for whoever kills them."""

import contextlib
import os
import signal
from collections.abc import Iterable

import psutil

from benchmarks.stage import Stage


def pids(stage: Stage, *words: str) -> list[int]:
    """Processes of this platform whose command line holds any of `words`."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "environ"]):
        line = " ".join(process.info["cmdline"] or [])
        environ = process.info["environ"] or {}
        if any(word in line for word in words) and environ.get("BONGSU_RUN_DIR") == str(stage.run_dir):
            found.append(int(process.info["pid"]))
    return found


def kill(doomed: Iterable[int]) -> None:
    """kill -9; one that is gone already is as good."""
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
