"""Every lane has a worker, and every worker reads its lanes from the most urgent to the least."""

import re
from pathlib import Path

import pytest

from config.supervisor import procfile
from notifications.vocabulary import Lane, Queue

COMMANDS = procfile.read(Path(__file__).resolve().parents[2] / "Procfile")
#: The Celery queues that carry no deliveries: planning and sweeps, and what providers report.
HOUSEKEEPING = {"planner", "receipts"}


def lanes_of(command: str) -> list[str]:
    found = re.search(r" -Q (\S+)", command)
    return found[1].split(",") if found else []


def test_every_lane_has_exactly_one_line_of_workers() -> None:
    served = [lane for command in COMMANDS.values() for lane in lanes_of(command)]
    assert sorted(served) == sorted({*Lane, *HOUSEKEEPING})


@pytest.mark.parametrize("queue", Queue)
def test_a_worker_serves_one_queue_from_the_most_urgent_lane_to_the_least(queue: Queue) -> None:
    expected = [f"{queue}.critical", f"{queue}", f"{queue}.retry", f"{queue}.bulk"]
    assert expected in [lanes_of(command) for command in COMMANDS.values()]


def test_workers_of_one_line_have_names_of_their_own() -> None:
    workers = {name: command for name, command in COMMANDS.items() if " worker " in command}
    assert {name for name, command in workers.items() if f"-n {name}.${{PROCESS:-1}}@%h" not in command} == set()
