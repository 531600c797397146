"""Waiting for what another process does: ask until it holds, with a deadline instead of a nap."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(holds: Callable[[], T], *, seconds: float = 15.0) -> T:
    """The first true value of `holds()`. Fails when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, f"still not so after {seconds:g} s: {holds}"
        time.sleep(0.02)
    return value
