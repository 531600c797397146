"""Callers of the API, many at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def together(count: int, call: Callable[[int], None], watch: Callable[[], None]) -> None:
    """Run `call(number)` in `count` threads, and `watch` now and then until all are through.

    Raises what the first of them raised: a caller that was refused makes the run void, and does not just fall silent.
    """
    with ThreadPoolExecutor(count) as pool:
        calls = [pool.submit(call, number) for number in range(count)]
        while not all(each.done() for each in calls):
            watch()
            time.sleep(0.1)
        for each in calls:
            each.result()
