"""Doing things at the same moment, as requests and workers do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def in_threads(*works: Callable[[], T]) -> list[T]:
    """What each of these gives. They begin together, each with a database connection of its own."""
    start = Barrier(len(works))

    def begin(work: Callable[[], T]) -> T:
        try:
            start.wait(timeout=30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))
