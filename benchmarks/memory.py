"""How much memory the platform's processes take, sampled while everything runs."""

import threading
from pathlib import Path

import psutil

_EVERY = 0.5


class Sampler:
    """Samples the proportional set size of all processes of the platform, and the workers' resident sets."""

    def __init__(self, processes: dict[str, int]) -> None:
        self._processes = processes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak_mb = 0.0

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def workers_mb(self) -> float:
        """The resident sets of the push workers together, now."""
        names = ("ios", "android", "planner")
        return sum(psutil.Process(self._processes[name]).memory_info().rss for name in names) / 1e6

    def _run(self) -> None:
        while not self._stop.wait(_EVERY):
            self.peak_mb = max(self.peak_mb, sum(map(_pss, self._family())) / 1e6)

    def _family(self) -> list[int]:
        pids: list[int] = []
        for pid in self._processes.values():
            try:
                process = psutil.Process(pid)
                pids += [pid, *(child.pid for child in process.children(recursive=True))]
            except psutil.NoSuchProcess:
                continue
        return pids


def _pss(pid: int) -> int:
    """Proportional set size in bytes (Linux: /proc/<pid>/smaps_rollup); 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
