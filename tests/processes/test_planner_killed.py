"""A planner that is killed again and again reads a long file for a list to its end, each line once."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.processes.platform import Platform, platform, write_audience
from tests.waiting import until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

PEOPLE = 60_000
UPLOAD = """
import io
from campaigns.models import Segment
from campaigns.segments import uploading
from campaigns.vocabulary import UploadMode
from notifications.clock import clock
segment = Segment.objects.create(name="VIPs", kind="list")
file = "external_id\\n" + "".join(f"person-{{n:06}}\\n" for n in range({people})) + "ghost\\n"
print(uploading.upload(segment, io.BytesIO(file.encode()), UploadMode.REPLACE, clock.now(), by=None).state)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with short leases, and many people."""
    folder = tmp_path_factory.mktemp("killed")
    file = folder / "audience.csv"
    write_audience(file, people=PEOPLE, devices=0)
    with platform(folder, LEASE_SECONDS="5", PROVIDER_SECONDS="2") as started:
        started.manage("import_recipients", str(file))
        yield started


def far(running: Platform) -> tuple[str, int]:
    """Where the file stands, and its lines that are read."""
    state, line = running.rows("SELECT state, line FROM campaigns_upload")[0]
    return state, line


def killed_after(running: Platform, line: int) -> tuple[str, int]:
    """Kill the planner once it has read on from a line; where the file stands then. Another planner is there."""
    until(lambda: far(running)[1] > line, seconds=60)
    killed = until(lambda: running.worker("planner"))
    os.kill(killed, signal.SIGKILL)
    found = far(running)
    until(lambda: running.worker("planner") not in {0, killed}, seconds=60)
    return found


def test_a_file_is_read_to_its_end_however_often_its_reader_is_killed(running: Platform) -> None:
    assert running.manage("shell", "-v0", "-c", UPLOAD.format(people=PEOPLE)).strip().endswith("reading")
    places = [("reading", 1)]
    for _ in range(3):
        places.append(killed_after(running, places[-1][1]))
    running.empty_the_broker()

    until(lambda: far(running)[0] != "reading", seconds=120)

    assert [state for state, _ in places] == ["reading"] * 4, "it was killed in the middle"
    assert running.rows("SELECT state, good, added, people, unknown FROM campaigns_upload") == [
        ("taken", PEOPLE + 1, PEOPLE, PEOPLE, 1)
    ]
    assert running.rows("SELECT count(*), count(DISTINCT recipient_id) FROM campaigns_segmentmember") == [
        (PEOPLE, PEOPLE)
    ]
    assert running.rows("SELECT count(*) FROM campaigns_uploadpart") == [(0,)]
