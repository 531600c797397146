"""A file of people, CSV in UTF-8 with a header, read some lines at a time: whom each names, and what is wrong."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from accounts.recipients import Invalid, normal_email, normal_external_id, normal_phone

#: Columns by which people can be named; the first of them that a file has is read, and all others are left alone.
COLUMNS: Final = ("external_id", "email", "phone")
MAX_LINES: Final = 1_000_000
#: Faults that are told one by one.
TOLD_FAULTS: Final = 100
_LONGEST_CELL: Final = 10_000
#: How python reads bytes that are not UTF-8 (PEP 383).
_NOT_UTF8: Final = re.compile("[\udc80-\udcff]")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line, counted from 1, the header included."""

    line: int
    reason: str

    def as_json(self) -> dict[str, int | str]:
        """As an upload keeps it."""
        return {"line": self.line, "reason": self.reason}


class UnusableHeader(Exception):
    """The first line names nobody's column; the message says what it must be like."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the header of a file says: the column that names people, its place from 0, and what is between cells."""

    column: str
    place: int
    delimiter: str


@dataclass(slots=True)
class Read:
    """What some lines came to: whom the good ones name, and the first faults of the bad ones.

    `lines` were consumed, those without anything in them too. `is_full`: there were more than a file may have.
    """

    keys: list[str] = field(default_factory=list)
    bad: int = 0
    faults: list[Fault] = field(default_factory=list)
    lines: int = 0
    is_full: bool = False

    def fault(self, line: int, reason: str) -> None:
        """Count a bad line."""
        self.bad += 1
        if len(self.faults) < TOLD_FAULTS:
            self.faults.append(Fault(line, reason))


def form_of(first: str) -> Form:
    """What the first line of a file says. Raises `UnusableHeader`."""
    if _NOT_UTF8.search(first):
        raise UnusableHeader("The file is not UTF-8; save it as UTF-8.")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        header = [cell.strip().lower().replace(" ", "_") for cell in next(csv.reader([first], delimiter=delimiter))]
    except (StopIteration, csv.Error):
        header = []
    column = next((name for name in COLUMNS if name in header), "")
    if not column:
        raise UnusableHeader(f"The first line must name a column {', '.join(COLUMNS[:-1])} or {COLUMNS[-1]}.")
    if header.count(column) > 1:
        raise UnusableHeader(f"The column {column} is named twice.")
    return Form(column, header.index(column), delimiter)


def read(lines: Iterator[str], form: Form, *, first: int, until: int, room: int) -> Read:
    """Whom the records name that begin within the first `until` of some lines; the last may end further on.

    `first` is the number of the first line in the file. More than `room` records are a fault, and not read. Each record
    is read by itself, so that it does not matter at which of them one begins.
    """
    csv.field_size_limit(_LONGEST_CELL)
    found, normal = Read(), _NORMAL[form.column]
    reader = csv.reader(lines, strict=True, delimiter=form.delimiter)
    while reader.line_num < until:
        line = first + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            found.fault(line, f"Cannot be read as CSV: {error}.")
            continue
        if not any(cells):
            continue
        if len(found.keys) + found.bad >= room:
            found.fault(line, f"More than {MAX_LINES:,} lines; divide the file.")
            found.is_full = True
            break
        try:
            found.keys.append(normal(_cell(cells, form.place)))
        except Invalid as error:
            found.fault(line, f"{form.column}: {error}")
    found.lines = reader.line_num
    return found


def _cell(cells: Sequence[str], place: int) -> str:
    if place >= len(cells):
        raise Invalid("is missing in this line.")
    cell = cells[place].strip()
    if not cell.isascii() and _NOT_UTF8.search(cell):
        raise Invalid("Is not UTF-8; save the file as UTF-8.")
    return cell


def _phone(text: str) -> str:
    """Most are in E.164 already, and to take a number apart costs 50 microseconds."""
    return text if _E164.fullmatch(text) else normal_phone(text)


_NORMAL: Final[Mapping[str, Callable[[str], str]]] = {
    "external_id": normal_external_id,
    "email": normal_email,
    "phone": _phone,
}
