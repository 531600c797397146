"""What `make chaos` calls a promise that was kept. The run itself is a part of `make test`."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.chaos.__main__ import Row
from benchmarks.chaos.faults import FAULTS

KEPT = Row("", "resend", accepted=50_000, sent=50_000, lost=0, duplicated=0, uncertain=0, recovered_in_s=5.0)


@pytest.mark.parametrize(
    ("fault", "changes", "kept"),
    [
        ("flush_redis", {}, True),
        ("flush_redis", {"lost": 1}, False),
        ("flush_redis", {"recovered_in_s": 60.1}, False),
        ("flush_redis", {"broken": "a device was retired"}, False),
        # nothing left without an answer, so nothing may be sent twice
        ("flush_redis", {"duplicated": 1}, False),
        # what two workers had under way, where the category resends; or six, killed one after the other
        ("freeze_workers", {"duplicated": 1700}, True),
        ("freeze_workers", {"duplicated": 1701}, False),
        ("kill_workers", {"duplicated": 5100}, True),
        ("kill_workers", {"duplicated": 5101}, False),
        # a fifth of the answers is lost for as long as the fault lasts
        ("reset_after_body", {"duplicated": 12_500}, True),
        ("reset_after_body", {"duplicated": 12_501}, False),
        ("kill_workers", {"category": "hold", "uncertain": 1700}, True),
        ("kill_workers", {"category": "hold", "duplicated": 1}, False),
    ],
)
def test_a_promise_is_kept_only_if_nothing_is_lost_and_no_more_doubled_than_was_in_doubt(
    fault: str, changes: dict[str, Any], kept: bool
) -> None:
    assert replace(KEPT, fault=fault, **changes).is_kept(FAULTS[fault]) is kept
