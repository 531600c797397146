"""What came of messages, in figures: all that is counted of an arm, a channel, a template or a day. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from notifications.vocabulary import REASON_TEXT, Reason


@dataclass(frozen=True, slots=True)
class Counted:
    """Messages, what became of them, what people did, and what that cost and brought.

    `planned` are all but the suppressed; `sent` have left and are not known to have failed, and `delivered` are known
    to have arrived. `untold` are those of the sent of which nobody tells whether they arrive: a channel by which not
    one is known to have arrived, and not every provider of which tells. Of what people did each message counts once.
    `suppressed_by` and `failed_by` are by reason, `revenue` and `cost` by currency. `unpriced` messages were sent, and
    no price list knows what for.
    """

    planned: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    untold: int = 0
    failed: int = 0
    suppressed: int = 0
    opened: int = 0
    machine_opened: int = 0
    clicked: int = 0
    converted: int = 0
    unsubscribed: int = 0
    complained: int = 0
    unpriced: int = 0
    suppressed_by: Mapping[str, int] = field(default_factory=dict)
    failed_by: Mapping[str, int] = field(default_factory=dict)
    revenue: Mapping[str, Decimal] = field(default_factory=dict)
    cost: Mapping[str, Decimal] = field(default_factory=dict)

    def number(self, name: str) -> int | None:
        """How many were `name`; None for the delivered where nobody tells of them."""
        if name == "delivered" and self.sent and self.untold >= self.sent:
            return None
        count: int = getattr(self, name)
        return count

    def rate(self, name: str) -> float | None:
        """What part of the sent was `name`, and of the told was delivered; None where there are none."""
        count: int = getattr(self, name)
        whole = self.sent - self.untold if name == "delivered" else self.sent
        return count / whole if whole > 0 else None

    @property
    def rates(self) -> Mapping[str, float | None]:
        """Parts of what was sent, by the name of what they are parts of it."""
        return {name: self.rate(name) for name in RATES}

    @property
    def why_suppressed(self) -> "list[Because]":
        """By reason, the most frequent first."""
        return _in_words(self.suppressed_by)

    @property
    def why_failed(self) -> "list[Because]":
        """By reason, the most frequent first."""
        return _in_words(self.failed_by)


@dataclass(frozen=True, slots=True)
class Because:
    """So many messages came to nothing for a reason; `text` is the reason in words."""

    reason: str
    text: str
    count: int


#: What is counted, in the order in which it happens.
NUMBERS: Final = (
    "planned", "waiting", "sent", "delivered", "failed", "suppressed", "opened", "machine_opened", "clicked",
    "converted", "unsubscribed", "complained", "unpriced",
)  # fmt: skip
#: What is told as a part of the sent. What was delivered is no better measure: not every provider says what arrived.
RATES: Final = ("delivered", "opened", "clicked", "converted", "unsubscribed", "complained")
#: What is counted by a second key.
_SORTED: Final = ("suppressed_by", "failed_by", "revenue", "cost")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a report: `key` is for programs and links, `name` for people."""

    key: str
    name: str
    counted: Counted


#: What is added up and not told: of what it is a part, the rate of the delivered says.
_ADDED: Final = (*NUMBERS, "untold")


class Sums:
    """Figures that are still being added up."""

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()
        self._sorted: dict[str, defaultdict[str, Any]] = {name: defaultdict(int) for name in _SORTED}

    def add(self, name: str, number: int) -> None:
        """So many more of one of `NUMBERS`."""
        self._numbers[name] += number

    def add_to(self, name: str, key: str, number: int | Decimal) -> None:
        """So many more by reason, or so much more by currency."""
        self._sorted[name][key] += number

    def add_all(self, other: Counted) -> None:
        """All that was counted elsewhere."""
        for name in _ADDED:
            self._numbers[name] += getattr(other, name)
        for name in _SORTED:
            for key, number in getattr(other, name).items():
                self._sorted[name][key] += number

    def counted(self) -> Counted:
        """As they are now."""
        by_key: dict[str, Any] = {name: MappingProxyType(dict(one)) for name, one in self._sorted.items()}
        return Counted(**by_key | self._numbers)


def added(several: Iterable[Counted]) -> Counted:
    """Several as one."""
    sums = Sums()
    for one in several:
        sums.add_all(one)
    return sums.counted()


def _in_words(by_reason: Mapping[str, int]) -> list[Because]:
    told = [
        Because(reason, REASON_TEXT[Reason(reason)] if reason else "No reason is known.", count)
        for reason, count in by_reason.items()
        if count
    ]
    return sorted(told, key=lambda one: (-one.count, one.reason))
