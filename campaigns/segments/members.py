"""A segment from a file: who is in it is who was in the file, and not who meets rules."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, TextIO
from uuid import UUID

from django.db import connection, transaction

from accounts.recipients import Invalid, normal_email, normal_external_id, normal_phone
from campaigns.models import Segment, SegmentMember

#: Columns by which people can be named; the first of them that a file has is read, and all others are left alone.
COLUMNS: Final = ("external_id", "email", "phone")
MAX_LINES: Final = 1_000_000
#: In bytes: a million lines of 100 characters.
LARGEST: Final = 100_000_000
#: Faults and unknown people that are told one by one.
TOLD_FAULTS: Final = 100
TOLD_UNKNOWN: Final = 20
_LONGEST_CELL: Final = 10_000
#: How python reads bytes that are not UTF-8 (PEP 383).
_NOT_UTF8: Final = re.compile("[\udc80-\udcff]")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line, counted from 1, the header included."""

    line: int
    reason: str


class UnusableList(Exception):
    """The file has faults; nothing of it was taken over. `count` is of all faults, the first of which are told."""

    def __init__(self, faults: Sequence[Fault], count: int) -> None:
        super().__init__(f"{count} faults")
        self.faults = faults
        self.count = count


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a file: its lines, who is new on the list, how many are on it now, and whom nobody knows."""

    lines: int
    added: int
    people: int
    unknown: int
    first_unknown: Sequence[str]


_ROOM: Final = "CREATE TEMPORARY TABLE uploaded (line integer, key text) ON COMMIT DROP"

#: Several people may have one address; all of them are meant. Served by the index of the column.
_TAKE_OVER: Final = """
    INSERT INTO campaigns_segmentmember (segment_id, recipient_id)
    SELECT DISTINCT %(segment)s::uuid, recipient.id
      FROM uploaded
      JOIN accounts_recipient AS recipient ON recipient.{column} = uploaded.key AND recipient.{column} <> ''
     ORDER BY recipient.id
        ON CONFLICT DO NOTHING
"""

_UNKNOWN: Final = """
    SELECT key, count(*) OVER ()
      FROM uploaded
     WHERE NOT EXISTS (
           SELECT
             FROM accounts_recipient AS recipient
            WHERE recipient.{column} = uploaded.key AND recipient.{column} <> '')
     GROUP BY key
     ORDER BY min(line)
     LIMIT %(most)s
"""


def take_over(segment: Segment, file: BinaryIO, *, replace: bool) -> Taken:
    """Put everybody whom `file`, CSV in UTF-8 with a header, names on the list of a segment, or on it alone.

    Whom nobody knows is told, and not on the list. A file with faults changes nothing. Reads line by line, in memory
    that does not grow; closes `file`. Raises `UnusableList`.
    """
    with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
        lines = _Lines(text)
        with transaction.atomic(), connection.cursor() as cursor:
            Segment.objects.select_for_update().get(pk=segment.pk)  # one file at a time
            cursor.execute(_ROOM)
            cursor.cursor.copy_expert("COPY uploaded (line, key) FROM STDIN", _Pieces(lines.read()), size=65_536)
            if lines.faults or not lines.good:
                raise UnusableList(lines.faults or [Fault(1, "There is nobody in it.")], lines.bad or 1)
            cursor.execute("ANALYZE uploaded")
            if replace:
                cursor.execute("DELETE FROM campaigns_segmentmember WHERE segment_id = %s", [segment.pk])
            cursor.execute(_TAKE_OVER.format(column=lines.column), {"segment": segment.pk})
            added = cursor.rowcount
            cursor.execute(_UNKNOWN.format(column=lines.column), {"most": TOLD_UNKNOWN})
            unknown = cursor.fetchall()
            cursor.execute("DROP TABLE uploaded")
        people = members(segment.pk)
    return Taken(lines.good, added, people, unknown[0][1] if unknown else 0, [key for key, _ in unknown])


def members(segment: UUID) -> int:
    """How many are on the list of a segment."""
    return SegmentMember.objects.filter(segment=segment).count()


class _Lines:
    """The keys of a file, as COPY takes them; faults are kept, up to some, and all counted."""

    def __init__(self, text: TextIO) -> None:
        self.text = text
        self.column = ""
        self.good = self.bad = 0
        self.faults: list[Fault] = []

    def read(self) -> Iterator[str]:
        """Lines with a number and a key."""
        csv.field_size_limit(_LONGEST_CELL)
        first = self.text.readline()
        if _NOT_UTF8.search(first):
            self._fault(1, "The file is not UTF-8; save it as UTF-8.")
            return
        delimiter = ";" if first.count(";") > first.count(",") else ","
        try:
            header = [cell.strip().lower().replace(" ", "_") for cell in next(csv.reader([first], delimiter=delimiter))]
        except (StopIteration, csv.Error):
            header = []
        self.column = next((name for name in COLUMNS if name in header), "")
        if not self.column:
            self._fault(1, f"The first line must name a column {', '.join(COLUMNS[:-1])} or {COLUMNS[-1]}.")
            return
        if header.count(self.column) > 1:
            self._fault(1, f"The column {self.column} is named twice.")
            return
        reader = csv.reader(self.text, strict=True, delimiter=delimiter)
        yield from self._keys(reader, header.index(self.column))

    def _keys(self, reader: Iterator[list[str]], place: int) -> Iterator[str]:
        normal = _NORMAL[self.column]
        while True:
            line = reader.line_num + 2  # type: ignore[attr-defined] # a csv.reader; the header was read before it
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._fault(line, f"Cannot be read as CSV: {error}.")
                continue
            if not any(cells):
                continue
            if self.good + self.bad >= MAX_LINES:
                self._fault(line, f"More than {MAX_LINES:,} lines; divide the file.")
                return
            try:
                key = normal(_cell(cells, place))
            except Invalid as error:
                self._fault(line, f"{self.column}: {error}")
                continue
            self.good += 1
            yield f"{line}\t{_escaped(key)}\n"

    def _fault(self, line: int, reason: str) -> None:
        self.bad += 1
        if len(self.faults) < TOLD_FAULTS:
            self.faults.append(Fault(line, reason))


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


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\") if "\\" in key else key


_NORMAL: Final[Mapping[str, Callable[[str], str]]] = {
    "external_id": normal_external_id,
    "email": normal_email,
    "phone": _phone,
}


class _Pieces:
    """Lines that come one by one, as a file of which pieces are read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.rest = ""

    def read(self, size: int = 65_536) -> str:
        """At most so many characters; none at the end."""
        parts, length = [self.rest], len(self.rest)
        while length < size and (line := next(self.lines, "")):
            parts.append(line)
            length += len(line)
        text = "".join(parts)
        self.rest = text[size:]
        return text[:size]
