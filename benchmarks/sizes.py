"""How much of everything: for a quick look, and for figures to publish."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of deliveries, unless a name says otherwise.

    `receipts` are news of deliveries. `tenth` people are sent to by the scenarios that repeat a campaign, or look at
    what it leaves behind.
    """

    campaign: int
    textbook: int
    limit: int
    mixed: int
    single_seconds: float
    batch_requests: int
    urgent_background: int
    urgent_messages: int
    growth: int
    tenth: int
    log_rows: int
    receipts: int


FULL: Final = Sizes(
    campaign=200_000,
    textbook=3_000,
    limit=100_000,
    mixed=160_000,
    single_seconds=20,
    batch_requests=100,
    urgent_background=1_000_000,
    urgent_messages=600,
    growth=1_000_000,
    tenth=100_000,
    log_rows=20_000_000,
    receipts=60_000,
)
QUICK: Final = Sizes(
    campaign=12_000,
    textbook=250,
    limit=12_000,
    mixed=6_400,
    single_seconds=2,
    batch_requests=6,
    urgent_background=12_000,
    urgent_messages=15,
    growth=12_000,
    tenth=6_000,
    log_rows=100_000,
    receipts=6_000,
)
