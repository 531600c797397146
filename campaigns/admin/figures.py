"""Figures of reports as pages show them: tables of texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from campaigns.reports.charts import percent
from campaigns.reports.counting import Counted

#: The columns of every table of figures: what it is called, and by what the rows can be ordered.
COLUMNS: Final = (
    ("Planned", "planned"),
    ("Suppressed", "suppressed"),
    ("Failed", "failed"),
    ("Sent", "sent"),
    ("Delivered", "delivered"),
    ("Opened", "opened"),
    ("Clicked", "clicked"),
    ("Converted", "converted"),
    ("Revenue", ""),
    ("Unsubscribed", "unsubscribed"),
    ("Complained", "complained"),
    ("Cost", ""),
)
#: Columns beneath whose number stands what part of the sent it is.
_PARTS: Final = frozenset({"delivered", "opened", "clicked", "converted", "unsubscribed", "complained"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, and beneath it in small letters what more there is to say of it."""

    text: str
    smalls: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table. `url` is where its name leads; `is_inner` is a part of the row above it."""

    name: str
    cells: Sequence[Cell]
    url: str = ""
    detail: str = ""
    is_inner: bool = False


def cells(counted: Counted) -> list[Cell]:
    """What stands beneath `COLUMNS`."""
    return [_cell(counted, label, name) for label, name in COLUMNS]


def money(amounts: Mapping[str, Decimal]) -> str:
    """Amounts by currency, in the order of their codes; nothing is told as a dash."""
    return ", ".join(f"{_amount(amount)} {currency}" for currency, amount in sorted(amounts.items())) or "–"


def _cell(counted: Counted, label: str, name: str) -> Cell:
    if label == "Revenue":
        return Cell(money(counted.revenue))
    if label == "Cost":
        return Cell(money(counted.cost), [f"{counted.unpriced:,} without price"] if counted.unpriced else [])
    number = counted.number(name)
    if number is None:
        return Cell("–")
    small = []
    if name in _PARTS and (rate := counted.rate(name)) is not None:
        small.append(percent(rate))
    if name == "opened" and counted.machine_opened:
        small.append(f"+ {counted.machine_opened:,} by\N{NO-BREAK SPACE}programs")
    if name == "planned" and counted.waiting:
        small.append(f"{counted.waiting:,} waiting")
    return Cell(f"{number:,}", small)


def _amount(amount: Decimal) -> str:
    """Without cents where there are none, and with more than two digits where the whole is less than a cent."""
    if amount == amount.to_integral_value():
        return f"{amount:,.0f}"
    return f"{amount:,.2f}" if abs(amount) >= Decimal("0.01") else f"{amount.normalize():f}"
