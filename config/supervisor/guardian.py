"""A small process that outlives its supervisor for a moment, in order to end what a killed one leaves behind.

It holds one end of a pipe. On the pipe it is told which process groups there are; when the pipe closes, the supervisor
is gone, however it went, and what remains of those groups is ended. That needs no special kernel, and it reaches the
children of the children, which a parent-death signal does not.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Final

#: Seconds between SIGTERM and SIGKILL.
GRACE: Final = 10.0


class Guardian:
    """The supervisor's hold on its guardian."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the guardian, in a session of its own: no key on a terminal reaches it."""
        command = [sys.executable, "-I", "-S", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def watch(self, group: int) -> None:
        """A process group that must not be left behind."""
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """A process group that is gone."""
        self._tell(f"-{group}")

    def stop(self) -> None:
        """Let the guardian end what it still watches, and go."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()

    def _tell(self, line: str) -> None:
        with self._lock, suppress(BrokenPipeError):
            if self._process and self._process.stdin:
                self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()


def signal_group(group: int, number: int) -> bool:
    """Send a signal to every process of a group (0 only looks); whether there was one."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # macOS says so of a group of zombies
    return True


def _watched_until_closed(orders: IO[str]) -> set[int]:
    groups: set[int] = set()
    for order in orders:
        group = int(order[1:])
        (groups.add if order[0] == "+" else groups.discard)(group)
    return groups


def _end(groups: Iterable[int]) -> None:
    deadline = time.monotonic() + GRACE
    remaining = [group for group in groups if signal_group(group, signal.SIGTERM)]
    while remaining and time.monotonic() < deadline:
        time.sleep(0.05)
        remaining = [group for group in remaining if signal_group(group, 0)]
    for group in remaining:
        signal_group(group, signal.SIGKILL)


if __name__ == "__main__":
    _end(_watched_until_closed(sys.stdin))
