"""Price lists: the one in force for an account, and new ones from a CSV file."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, Final

from django.db import transaction

from notifications.models import ProviderAccount, SmsPrice
from notifications.planning.prices import Money, NoDestination, Price, destination, in_force

COLUMNS: Final = ("destination", "per_segment", "currency", "valid_from")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
#: As the column holds it: ten digits, six of them behind the point.
_MOST: Final = Decimal(10_000)
_FINEST: Final = Decimal("0.000001")
#: Lines of a list; all providers together have fewer destinations.
MAX_LINES: Final = 20_000
_LONGEST_CELL: Final = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line, counted from 1, the header included."""

    line: int
    reason: str


class UnusableList(Exception):
    """A price list has faults; nothing of it was written, because half a list would misprice the other half."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


def table_of(account: ProviderAccount, on: date) -> Mapping[str, Money]:
    """What an account pays on a day, by destination."""
    rows = SmsPrice.objects.for_account(account)
    general = (_price(row) for row in rows if row.account_id is None)
    own = (_price(row) for row in rows if row.account_id is not None)
    return in_force(general, on) | in_force(own, on)


def import_list(file: BinaryIO, *, provider: str = "", account: ProviderAccount | None = None, today: date) -> int:
    """Take over a price list, CSV in UTF-8 with a header, for a provider or for one account; says how many prices.

    A price for the same destination and day is replaced. Without a column or a value for `valid_from` a price is valid
    from `today` on. Raises `UnusableList`.
    """
    found = list(_lines(file, today))
    prices = [one for one in found if not isinstance(one, Fault)]
    faults = [one for one in found if isinstance(one, Fault)] + _repeated(prices)
    if faults or not prices:
        raise UnusableList(faults or [Fault(1, "There is no price in it.")])
    rows = [
        SmsPrice(
            provider="" if account else provider,
            account=account,
            destination=price.destination,
            per_segment=price.per_segment.amount,
            currency=price.per_segment.currency,
            valid_from=price.valid_from,
        )
        for _, price in prices
    ]
    with transaction.atomic():
        SmsPrice.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["provider", "account", "destination", "valid_from"],
            update_fields=["per_segment", "currency"],
            batch_size=1000,
        )
    return len(rows)


def _price(row: SmsPrice) -> Price:
    return Price(row.destination, Money(row.per_segment, row.currency), row.valid_from)


def _lines(file: BinaryIO, today: date) -> Iterator[tuple[int, Price] | Fault]:
    csv.field_size_limit(_LONGEST_CELL)
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        yield Fault(1, "The file is not UTF-8; save it as UTF-8.")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=_delimiter(text))
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            if not header:
                yield Fault(1, f"The file is empty; its first line must name the columns {', '.join(COLUMNS)}.")
            return
        except csv.Error as error:
            yield Fault(line, f"Cannot be read as CSV: {error}.")
            return
        if not any(cells):
            continue
        if not header:
            header = [cell.lower().replace(" ", "_") for cell in cells]
            if trouble := _bad_header(header):
                yield Fault(line, trouble)
                return
            continue
        if line > MAX_LINES:
            yield Fault(line, f"More than {MAX_LINES} lines.")
            return
        yield _line(line, header, cells, today)


def _delimiter(text: str) -> str:
    """Spreadsheets of half the world write semicolons."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _bad_header(header: Sequence[str]) -> str:
    if missing := [name for name in COLUMNS[:3] if name not in header]:
        return f"The columns {', '.join(missing)} are missing; the first line must name {', '.join(COLUMNS)}."
    if unknown := [name for name in header if name not in COLUMNS]:
        return f"Unknown columns: {', '.join(map(repr, unknown))[:200]}. Known ones: {', '.join(COLUMNS)}."
    return "A column is named twice." if len(set(header)) < len(header) else ""


def _line(line: int, header: Sequence[str], cells: Sequence[str], today: date) -> tuple[int, Price] | Fault:
    if len(cells) != len(header):
        return Fault(line, f"{len(cells)} cells where the header names {len(header)} columns.")
    given = dict(zip(header, cells, strict=True))
    try:
        place = destination(given["destination"])
    except NoDestination as error:
        return Fault(line, f"destination: {error}")
    amount = _amount(given["per_segment"])
    if amount is None:
        return Fault(line, "per_segment: write a number from 0 to 9999.999999, as in 0.0079.")
    currency = given["currency"].upper()
    if not _CURRENCY.fullmatch(currency):
        return Fault(line, "currency: write its three letters of ISO 4217, such as USD.")
    try:
        valid_from = date.fromisoformat(given["valid_from"]) if given.get("valid_from") else today
    except ValueError:
        return Fault(line, "valid_from: write a day as in 2026-01-31.")
    return line, Price(place, Money(amount, currency), valid_from)


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
        is_fit = amount.is_finite() and 0 <= amount < _MOST and amount == amount.quantize(_FINEST)
    except InvalidOperation:
        return None
    return amount if is_fit else None


def _repeated(prices: Sequence[tuple[int, Price]]) -> list[Fault]:
    first: dict[tuple[str, date], int] = {}
    faults = []
    for line, price in prices:
        before = first.setdefault((price.destination, price.valid_from), line)
        if before != line:
            faults.append(Fault(line, f"{price.destination} from {price.valid_from} stands in line {before} already."))
    return faults
