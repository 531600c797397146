"""What a text message costs: so much for each of its parts, by where it goes.

A destination is a country (ISO 3166-1, two letters) or the beginning of a number, without the plus. The longest
beginning decides; a country counts as more than the calling code that it shares with others, and as less than anything
longer.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

import phonenumbers

from accounts.channels import Channel


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency (ISO 4217)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}"


@dataclass(frozen=True, slots=True)
class Price:
    """One line of a price list."""

    destination: str
    per_segment: Money
    valid_from: date


#: What a segment costs, by destination.
Table = Mapping[str, Money]


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a message costs on each channel, in one currency. Text messages are looked up by where they go.

    A text message of which no price is known in that currency counts as dearer than anything: it never is for nothing.
    """

    push: Decimal = Decimal(0)
    email: Decimal = Decimal(0)
    currency: str = ""
    texts: Table = field(default_factory=dict)

    def of(self, channel: Channel, phone: str) -> Decimal:
        """What one message costs, a text message of one part."""
        if channel is not Channel.SMS:
            return self.push if channel is Channel.PUSH else self.email
        price = cost(1, phone, self.texts)
        return price.amount if price and price.currency == self.currency else _DEAREST


#: More than anything costs.
_DEAREST: Final = Decimal("Infinity")
#: Where nothing else is said: push services and one's own mail cost nothing by the message.
FREE: Final = Tariff()


class NoDestination(ValueError):
    """Neither a country nor the beginning of a number; the message says what would be."""


def in_force(prices: Iterable[Price], on: date) -> dict[str, Money]:
    """The table of a day: of each destination's prices the latest that is valid by then."""
    started = sorted((price for price in prices if price.valid_from <= on), key=lambda price: price.valid_from)
    return {price.destination: price.per_segment for price in started}


def cost(segments: int, to: str, table: Table) -> Money | None:
    """What `segments` parts to a number in E.164 cost; None where no price is known."""
    if not table:
        return None
    price = next((table[place] for place in _places(to) if place in table), None)
    return Money(price.amount * segments, price.currency) if price else None


def destination(text: str) -> str:
    """KR, kr, 82, +82 or 0082 as a table has it. Raises `NoDestination`."""
    written = text.strip().upper().replace(" ", "")
    if written in phonenumbers.SUPPORTED_REGIONS:
        return written
    digits = written.removeprefix("+").removeprefix("00")
    if digits.isascii() and digits.isdecimal() and 0 < len(digits) <= 15 and not digits.startswith("0"):
        return digits
    raise NoDestination(f"{text.strip()[:20]!r} is neither a country (ISO 3166-1), as in KR, nor a prefix, as in +82.")


def _places(to: str) -> Iterator[str]:
    """Every destination that a number has, the most particular first."""
    digits = to.removeprefix("+")
    try:
        number = phonenumbers.parse(to)
    except phonenumbers.NumberParseException:
        code, region = "", ""
    else:
        prefix = number.country_code or 0
        code = str(prefix)
        # a number of no known range is taken for one of the country that its calling code is mostly used for
        region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(prefix)
    for length in range(len(digits), 0, -1):
        if length == len(code) and region:
            yield region
        yield digits[:length]
