"""The benchmarks run, and prove that nothing was lost or doubled. How fast is nobody's business here."""

import subprocess
import sys

import pytest

from tests.processes.platform import CHECKOUT

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


def test_a_quick_run_measures_and_is_not_void() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "push_campaign", "mixed_day"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "push_campaign.deliveries_per_s" in done.stdout
    assert "mixed_day.deliveries_per_s" in done.stdout
