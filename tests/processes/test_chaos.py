"""Faults in the middle of a campaign: what `make chaos` promises, for the two that happen most often."""

import subprocess
import sys

import pytest

from tests.processes.platform import CHECKOUT

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


def test_a_killed_worker_and_an_emptied_broker_lose_and_double_nothing_they_must_not() -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.chaos",
        "--quick",
        "--only",
        "kill_workers",
        "flush_redis",
        "--no-file",
    ]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
