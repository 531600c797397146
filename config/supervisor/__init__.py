"""Runs the platform's processes side by side: keeps each alive, shows what they say, and leaves none behind.

    supervisor = Supervisor({"web": Command("granian …"), "ios": Command("celery …")}, os.environ)
    supervisor.start()
    supervisor.wait()       # until another thread calls stop()
    supervisor.stop()

From a shell: `python -m config.supervisor [name | name=count …]` runs the lines of Procfile and Procfile.dev.
"""

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from config.supervisor.guardian import GRACE, Guardian
from config.supervisor.keeper import Command, Keeper, Output
from config.supervisor.watch import Watch

__all__ = ["Command", "Supervisor", "Watch"]


class Supervisor:
    """A set of named processes, each started again whenever it ends.

    With `log_dir`, each writes to `<log_dir>/<name>.log`; without, all write to standard output, a coloured name
    before each line. `grace` is how many seconds a process may take to end. `watch` finds those that live and do not
    get on; they are ended and started again. However the supervisor itself ends, by kill -9 too, its processes end with
    it.
    """

    def __init__(
        self,
        lines: Mapping[str, Command],
        env: Mapping[str, str],
        log_dir: Path | None = None,
        *,
        grace: float = GRACE,
        watch: Watch | None = None,
    ) -> None:
        width = max(map(len, lines), default=0)
        if log_dir:
            log_dir.mkdir(parents=True, exist_ok=True)
        self._grace = grace
        self._guardian = Guardian()
        self._keepers = {
            name: Keeper(command, env, Output.of(name, place, width, log_dir), self._guardian)
            for place, (name, command) in enumerate(lines.items())
        }
        self._watch = watch
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start every process; returns at once. To be called once."""
        self._guardian.start()
        for keeper in self._keepers.values():
            keeper.start()
        if self._watch:
            threading.Thread(target=self._replace_the_stuck, args=(self._watch,), daemon=True).start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until `stop` was called, or `timeout` seconds; whether it was."""
        return self._stopped.wait(timeout)

    def stop(self) -> None:
        """Ask every process to end (SIGTERM), end what remains after `grace` seconds (SIGKILL), and return."""
        self._stopping.set()
        deadline = time.monotonic() + self._grace
        for keeper in self._keepers.values():
            keeper.ask_to_end()
        for keeper in self._keepers.values():
            keeper.end(deadline)
        self._guardian.stop()
        self._stopped.set()

    def restart(self, name: str) -> None:
        """Ask one process to end; it is started again at once. Raises KeyError for a name that is not kept."""
        self._keepers[name].restart()

    def pids(self) -> dict[str, int]:
        """The process ids of those that run just now, by name."""
        pids = {name: keeper.pid for name, keeper in self._keepers.items()}
        return {name: pid for name, pid in pids.items() if pid is not None}

    def _replace_the_stuck(self, watch: Watch) -> None:
        while not self._stopping.wait(watch.every):
            by_pid = {keeper.pid: keeper for keeper in self._keepers.values()}
            for pid, why in watch.look().items():
                if keeper := by_pid.get(pid):
                    keeper.replace(pid, why, self._grace)
