"""A machine's clock may be set back; what is due stays due."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from notifications.clock import Clock


def test_it_tells_the_time_of_the_machine() -> None:
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_set_back_it_goes_on_as_if_nothing_had_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, passed = 1_800_000_000.0, 50.0
    monkeypatch.setattr(time, "time", lambda: wall)
    monkeypatch.setattr(time, "monotonic", lambda: passed)
    mine = Clock()
    before = mine.now()
    wall, passed = wall - 600, passed + 2

    assert mine.now() - before == timedelta(seconds=2)
    wall, passed = wall + 1, passed + 1
    assert mine.now() - before == timedelta(seconds=3)


def test_set_forward_it_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: wall)
    mine = Clock()
    before = mine.now()
    wall += 600

    assert mine.now() - before == timedelta(seconds=600)
