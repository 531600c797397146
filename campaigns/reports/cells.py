"""Tables as files: CSV that a spreadsheet opens without being told what to do."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Final

from accounts.csv_cells import harmless

Cell = str | int | float | Decimal | datetime | None

#: Lets spreadsheets see that what follows is UTF-8.
BEGINNING: Final = "\N{BYTE ORDER MARK}"


def lines(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as lines of CSV (RFC 4180)."""
    text = StringIO(newline="")
    csv.writer(text).writerows([[written(cell) for cell in row] for row in rows])
    return text.getvalue()


def written(cell: Cell) -> str:
    """A cell as text; a text that would be a formula begins with an apostrophe."""
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat(timespec="seconds")
        case float():
            return f"{cell:.6g}"
        case Decimal():
            return f"{cell.normalize():f}"
        case str():
            return harmless(cell)
        case _:
            return str(cell)
