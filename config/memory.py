"""Spares the garbage collector what lives as long as the process, and the machine a heap for every thread.

A process of ours holds some 300,000 objects after its start: Django, its models, the compiled templates. The
collector walks all of them again and again while a batch makes thousands of short-lived ones; a quarter of a
worker's time went there.
"""

import ctypes
import gc
from typing import Final

#: New objects between two looks at the young ones: more than a batch of 500 deliveries leaves.
_BATCH: Final = 10_000
#: mallopt(3), <malloc.h> of the GNU C library.
_M_ARENA_MAX: Final = -8


def keep_in_one_heap() -> None:
    """Let all threads allocate from one heap: to be called before there are any.

    The GNU C library gives each of its own, and what a passing one (libcurl's resolver) leaves there is never used
    again: 2 to 15 MB a worker. Threads of a Python process seldom allocate at the same moment. Other C libraries have
    no such heaps.
    """
    if hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_ARENA_MAX, 1)


def settle() -> None:
    """What is here now stays: to be called once, when a process has loaded all that it needs."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BATCH, 5, 50)
