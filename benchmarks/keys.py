"""What is measured, and the target of each on two cores."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Key:
    """One figure. `at_most` turns the target round: smaller is better.

    `aside` ones are shown with the others, and kept beside the published keys.
    """

    name: str
    text: str
    unit: str
    target: float
    at_most: bool = False
    aside: bool = False

    def is_met(self, value: float) -> bool:
        """Whether a value reaches the target."""
        return value <= self.target if self.at_most else value >= self.target


KEYS: Final = (
    Key("push_campaign.deliveries_per_s", "one notification to everybody, until recorded as sent", "/s", 8_900),
    Key("push_campaign.ratio_textbook", "against a task per delivery, ORM, pyfcm, requests", "×", 25),
    Key("push_campaign.ratio_limit", "against a bare loop without framework", "×", 0.85),
    Key("mixed_day.deliveries_per_s", "10 push : 1 SMS : 5 email", "/s", 4_500),
    Key("api_single.requests_per_s", "POSTs for one recipient, 32 clients", "/s", 800),
    Key("api_single.drain_s", "from the last POST until all is recorded as sent", "s", 5, at_most=True),
    Key("api_single.p99_ms", "POST at half that rate", "ms", 100, at_most=True),
    Key("api_batch.recipients_per_s", "POSTs for 1,000 recipients", "/s", 8_000),
    Key("receipts.per_s", "receipts, one in six by itself and the others in batches, until applied", "/s", 2_000),
    Key("receipts.single_per_s", "the same, each in a call of its own", "/s", 1_000, aside=True),
    Key("redirects.per_s", "links of emails followed, and the clicks queued", "/s", 2_000),
    Key(
        "urgent_under_load.p50_ms",
        "critical SMS during a campaign, 202 until the provider has it",
        "ms",
        150,
        at_most=True,
        aside=True,
    ),
    Key("urgent_under_load.p99_ms", "the same, the slowest hundredth", "ms", 1_000, at_most=True),
    Key("campaign.first_s", "start of a campaign until a provider has its first message", "s", 2, at_most=True),
    Key("campaign.deliveries_per_s", "the campaign, from its start until recorded as sent", "/s", 8_900),
    Key("campaign.page_ms", "its progress page, each time it refreshes, the median", "ms", 20, at_most=True),
    Key("campaign.asked_ms", "asking by the API how far it is, the median", "ms", 20, at_most=True),
    Key("campaign.planner_growth", "the planner's memory in the end over after a tenth", "×", 1.05, at_most=True),
    Key("memory.peak_pss_mb", "all processes of the platform", "MB", 1_000, at_most=True),
    Key("memory.growth", "workers, after all deliveries over after the first tenth", "×", 1.05, at_most=True),
    Key("log_growth.ratio", "push rate with a full log over an empty one", "×", 0.9),
    Key("bytes_per_delivery", "disk with indexes, one sent push", "B", 400, at_most=True),
)
