"""Keeps one process alive, and passes on what it says."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from config.supervisor.guardian import Guardian, signal_group

#: Seconds until a process that ended is started again: the first time, and at most.
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
#: Seconds of life after which the next end counts as a first one.
_HEALTHY: Final = 10.0
#: Terminal colours: cyan, yellow, green, magenta, blue, and their bright kin.
_COLOURS: Final = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)

_screen = threading.Lock()


@dataclass(frozen=True, slots=True)
class Command:
    """One process to keep alive: a line for the shell, and what it needs in its environment besides everybody's."""

    line: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """Where the words of one process go: into its log file, or to the screen with its name before each line."""

    prefix: str
    log: Path | None

    @classmethod
    def of(cls, name: str, place: int, width: int, log_dir: Path | None) -> "Output":
        """The output of the process `name`, the `place`-th of all, whose names are up to `width` long."""
        label = f"{name:{width}} | "
        colour = _COLOURS[place % len(_COLOURS)]
        prefix = f"\x1b[{colour}m{label}\x1b[0m" if sys.stdout.isatty() else label
        return cls(prefix, log_dir / f"{name}.log" if log_dir else None)

    def say(self, line: str) -> None:
        """Add a line. A screen that is gone takes none, and that is no reason for a process to end."""
        try:
            if self.log:
                with self.log.open("a") as log:
                    log.write(f"{line}\n")
            else:
                with _screen:
                    sys.stdout.write(f"{self.prefix}{line}\n")
                    sys.stdout.flush()
        except OSError:
            return


class Keeper:
    """One process, started again whenever it ends, by a thread that does nothing else."""

    def __init__(self, command: Command, env: Mapping[str, str], output: Output, guardian: Guardian) -> None:
        self._command = command
        self._env = {**env, **command.env}
        self._output = output
        self._guardian = guardian
        self._thread = threading.Thread(target=self._keep, daemon=True)
        #: Guards the next two: nothing is launched after the wish to end was noted.
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = False
        #: Set when nobody wants to wait for the end of a pause.
        self._hurry = threading.Event()

    @property
    def pid(self) -> int | None:
        """The process id; None while the process does not run."""
        with self._lock:
            return self._process.pid if self._process else None

    def start(self) -> None:
        """Begin to keep the process."""
        self._thread.start()

    def restart(self) -> None:
        """Ask the process to end; its successor starts at once."""
        self._hurry.set()
        self._signal(signal.SIGTERM)

    def replace(self, pid: int, why: str, grace: float) -> None:
        """End the process `pid`, if it is still this one, and let its successor start; waits for the end.

        It may be frozen, and deaf to SIGTERM: after `grace` seconds it is killed.
        """
        with self._lock:
            if self._process is None or self._process.pid != pid or self._ending:
                return
            process = self._process
        self._output.say(f"is ended: {why}")
        self.restart()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            self._output.say("did not end in time: killed")
            process.kill()

    def ask_to_end(self) -> None:
        """Ask the process to end, for good; returns at once."""
        with self._lock:
            self._ending = True
        self.restart()

    def end(self, deadline: float) -> None:
        """Wait for the end that was asked for; at `deadline` (of the monotonic clock) force it."""
        if self._thread.ident is None:
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            self._output.say("did not end in time: killed")
            self._signal(signal.SIGKILL)
            self._thread.join()

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process alone: it knows in which order its children should end."""
        with self._lock:
            if self._process:
                self._process.send_signal(number)

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while process := self._launch():
            began = time.monotonic()
            code = self._outcome(process)
            if self._ending:
                return
            if time.monotonic() - began > _HEALTHY:
                pause = _FIRST_PAUSE
            self._output.say(f"{code}; starting again" + ("" if self._hurry.is_set() else f" in {pause:g} s"))
            self._hurry.wait(pause)
            self._hurry.clear()
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _launch(self) -> subprocess.Popen[bytes] | None:
        """Start the process in a group of its own, unless the end is wished for."""
        with self._lock:
            if self._ending:
                return None
            out: IO[bytes] | int = self._output.log.open("ab") if self._output.log else subprocess.PIPE
            self._process = process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {self._command.line}"],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._guardian.watch(process.pid)
        if isinstance(out, int):
            threading.Thread(target=self._pass_on, args=(process.stdout,), daemon=True).start()
        else:
            out.close()
        return process

    def _outcome(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for the process, end the children it left, and say how it ended."""
        code = process.wait()
        signal_group(process.pid, signal.SIGKILL)
        with self._lock:
            self._process = None
        self._guardian.forget(process.pid)
        return f"ended with status {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"

    def _pass_on(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._output.say(line.decode(errors="replace").rstrip())
