"""One notification to everybody in a file: the log and the providers agree, delivery by delivery.

`BONGSU_PEOPLE=50000 make test ARGS=tests/processes` runs it at full size; devices are eight for every five people.
"""

import os
from pathlib import Path

import pytest

from tests.processes.platform import Platform, platform, write_audience
from tests.waiting import until

PEOPLE = int(os.environ.get("BONGSU_PEOPLE", "2000"))
DEVICES = PEOPLE * 8 // 5
TOGETHER = 1000

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]


def send_to(everybody: list[str], running: Platform) -> None:
    """One notification for every thousand of them."""
    for first in range(0, len(everybody), TOGETHER):
        request = {
            "template": "restock",
            "recipients": everybody[first : first + TOGETHER],
            "data": {"user_name": "지민", "product_name": "운동화"},
            "channels": ["push"],
            "urgency": "bulk",
        }
        running.ask("/v1/notifications", request)


@pytest.mark.parametrize("broker_is_emptied", [False, True], ids=["undisturbed", "broker emptied half-way"])
def test_log_and_providers_agree(tmp_path: Path, *, broker_is_emptied: bool) -> None:
    file = tmp_path / "audience.csv"
    everybody = list(write_audience(file, people=PEOPLE, devices=DEVICES))
    with platform(tmp_path) as running:
        told = running.manage("import_recipients", str(file))
        assert f"{PEOPLE} recipients created" in told
        assert f"{DEVICES} devices registered, 0 rows rejected" in told

        send_to(everybody, running)
        if broker_is_emptied:
            until(lambda: len(running.arrived()) >= DEVICES // 4, seconds=300)
            running.empty_the_broker()
            assert running.unfinished(), "nothing was left to be disturbed"
        until(lambda: not running.unfinished(), seconds=600)

        arrived = running.arrived()
        assert len(arrived) == DEVICES
        assert set(arrived) == running.logged_as_sent()
        assert set(arrived.values()) == {1}
