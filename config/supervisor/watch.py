"""Finds workers that live and do not get on.

The workers' signs are files (notifications/liveness.py), and looking at them costs nothing. Only when one of them shows
no progress, and may have had something to do, is `manage.py worker_health` asked: it knows more, but takes a second of
a core and the memory of another worker.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from notifications.liveness import STALL, Sign, folder_in, signs, stuck

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
#: Looks at the signs within the time after which a worker is held to be stuck.
_LOOKS: Final = 6
#: Seconds that an answer may take.
_PATIENCE: Final = 30.0
#: Times in a row that a worker must fail: one slow moment ends nobody.
_FAILURES: Final = 3


class Watch:
    """What the workers on this machine say of themselves, and for how long they have been in trouble.

    `run_dir` is where they keep their signs, `env` what they were started with.
    """

    def __init__(self, run_dir: Path, env: Mapping[str, str]) -> None:
        self._folder = folder_in(run_dir)
        self._env = env
        self._stall = float(env.get("STALL_SECONDS") or STALL)
        #: Seconds between two looks.
        self.every = self._stall / _LOOKS
        self._strikes: Counter[int] = Counter()
        self._asked_at = time.monotonic()

    def look(self) -> Mapping[int, str]:
        """The process ids of workers that failed their check several times in a row, each with what is wrong."""
        if not self._is_worth_asking():
            self._strikes.clear()
            return {}
        troubles = self._ask()
        self._strikes = Counter({pid: self._strikes[pid] + 1 for pid in troubles})
        hopeless = {pid: why for pid, why in troubles.items() if self._strikes[pid] >= _FAILURES}
        for pid in hopeless:
            del self._strikes[pid]
        return hopeless

    def _is_worth_asking(self) -> bool:
        now, running = time.monotonic(), signs(self._folder)
        if self._strikes or any(stuck(sign, now, self._stall) for sign in running):
            return True
        idle = [sign for sign in running if now - sign.moved_at > self._stall]
        is_doubtful = any(self._may_be_unfed(sign, running, now) for sign in idle)
        return is_doubtful and now - self._asked_at > self._stall

    def _may_be_unfed(self, idle: Sign, running: Sequence[Sign], now: float) -> bool:
        """Whether something may lie before a worker that does nothing.

        One that sweeps has just looked at what is due everywhere, as a rule; where none did, there is no telling.
        """
        looked = max(running, key=lambda sign: sign.looked_at)
        if now - looked.looked_at > self._stall:
            return True
        return any(looked.waiting.get(queue, 0.0) > self._stall for queue in idle.queues)

    def _ask(self) -> Mapping[int, str]:
        self._asked_at = time.monotonic()
        command = [sys.executable, "manage.py", "worker_health", "--json"]
        try:
            told = subprocess.run(
                command, cwd=_ROOT, env=self._env, capture_output=True, timeout=_PATIENCE, check=False
            ).stdout
            return {one["pid"]: one["trouble"] for one in json.loads(told) if one["trouble"]}
        except (subprocess.TimeoutExpired, ValueError):
            return {}  # a check that fails itself says nothing about the workers
