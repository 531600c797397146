"""Spares the garbage collector what lives as long as the process.

A process of ours holds some 300,000 objects after its start: Django, its models, the compiled templates. The
collector walks all of them again and again while a batch makes thousands of short-lived ones; a quarter of a
worker's time went there.
"""

import gc
from typing import Final

#: New objects between two looks at the young ones: about what a batch of 500 deliveries makes.
_BATCH: Final = 50_000


def settle() -> None:
    """What is here now stays: to be called once, when a process has loaded all that it needs."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BATCH, 20, 50)
