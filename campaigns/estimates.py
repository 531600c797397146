"""What is expected of a campaign, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.channels import Channel
from notifications.vocabulary import REASON_TEXT, Reason


@dataclass(frozen=True, slots=True)
class Suppressed:
    """People who get nothing on a channel, for one reason."""

    channel: Channel
    reason: Reason
    people: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What messages of a channel cost, in one currency; it is empty for those of which no price is known.

    `error_percent`: with 95 % it comes to no more and no less than so many percent of that.
    """

    channel: Channel
    currency: str
    messages: int
    segments: int
    amount: Decimal
    error_percent: float = 0.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one variant: people whom it falls to, and deliveries to them."""

    letter: str
    template: str
    people: int
    planned: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Whom a campaign will reach, as of a moment, and what that will cost.

    `people` is exact; all else is scaled up from the `sampled`, unless these are everybody. `reached` get a message at
    once or when it is time, `held_out` none whatever they want. `planned` are deliveries by channel; `later` people for
    whom a channel is kept for the case that nothing is heard on another, of which no cost is counted. `error_percent`
    is that of all planned deliveries, with 95 %.
    """

    at: datetime
    people: int
    sampled: int
    held_out: int
    reached: int
    planned: Mapping[Channel, int]
    later: Mapping[Channel, int]
    suppressed: Sequence[Suppressed]
    costs: Sequence[Cost]
    variants: Sequence[Expected]
    error_percent: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether everybody was looked at."""
        return self.sampled == self.people

    def as_json(self) -> dict[str, Any]:
        """As a run keeps it, and the API tells it. Amounts are text, so that no digit is lost."""
        return {
            "at": self.at.isoformat(),
            "people": self.people,
            "sampled": self.sampled,
            "is_exact": self.is_exact,
            "held_out": self.held_out,
            "reached": self.reached,
            "planned": {channel.value: number for channel, number in self.planned.items()},
            "later": {channel.value: number for channel, number in self.later.items()},
            "error_percent": self.error_percent,
            "suppressed": [
                {
                    "channel": one.channel.value,
                    "reason": one.reason.value,
                    "text": REASON_TEXT[one.reason],
                    "people": one.people,
                }
                for one in self.suppressed
            ],
            "costs": [
                {
                    "channel": one.channel.value,
                    "currency": one.currency,
                    "messages": one.messages,
                    "segments": one.segments,
                    "amount": f"{one.amount.normalize():f}",
                    "error_percent": one.error_percent,
                }
                for one in self.costs
            ],
            "variants": [
                {"letter": one.letter, "template": one.template, "people": one.people, "planned": one.planned}
                for one in self.variants
            ],
        }
