"""Rows into PostgreSQL: many by COPY (3 to 11 microseconds a row, against 25 and more for INSERT), few in one go."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import array_of

#: COPY's text format: a column is escaped, NULL is \N. (PostgreSQL manual, COPY, "Text Format")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

#: Rows up to which INSERT is quicker than COPY.
_FEW: Final = 16
#: Characters that psycopg2 sends at a time; it takes memory for all of them beforehand.
_PIECE: Final = 65_536

Cell = str | int | UUID | datetime | Mapping[str, object] | Sequence[UUID] | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for one table; `columns` names the cells of each, in order."""

    table: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def write_in(together: Sequence[Rows]) -> None:
    """Append rows to several tables in one transaction, in the order given.

    A COPY for each table; for a handful of rows, all INSERTs in one message to the server, which makes them one
    transaction by itself: one round trip instead of eight.
    """
    if sum(len(part.rows) for part in together) > _FEW:
        with transaction.atomic(savepoint=False):
            for part in together:
                copy_in(part.table, part.columns, part.rows)
        return
    statements, values = [], []
    for part in together:
        if part.rows:
            places = f"({', '.join(['%s'] * len(part.columns))})"
            names = ", ".join(part.columns)
            rows = ", ".join([places] * len(part.rows))
            statements.append(f"INSERT INTO {part.table} ({names}) VALUES {rows}")  # noqa: S608 - our own names
            values += [_adapted(cell) for row in part.rows for cell in row]
    if statements:
        with connection.cursor() as cursor:
            cursor.execute(";".join(statements), values)


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Append `rows` to `table` in one statement; `columns` names the cells of a row, in order.

    A mapping becomes JSON, a sequence of ids an array. Defaults of `save()` do not apply.
    """
    lines = "".join(["\t".join([_WRITERS[type(cell)](cell) for cell in row]) + "\n" for row in rows])
    with connection.cursor() as cursor:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        cursor.cursor.copy_expert(statement, StringIO(lines), size=min(len(lines) + 1, _PIECE))


def _adapted(cell: Cell) -> Any:
    """A cell as psycopg2 takes it."""
    match cell:
        case Mapping():
            return json.dumps(cell, ensure_ascii=False)
        case list() | tuple():
            return array_of(cell)
        case UUID():
            return str(cell)
        case _:
            return cell


def _text(cell: str) -> str:
    # nearly every text has nothing to escape, and to look is quicker than to translate
    return cell if cell.isprintable() and "\\" not in cell else cell.translate(_ESCAPES)


def _null(_cell: None) -> str:
    return r"\N"


def _json(cell: Mapping[str, object]) -> str:
    return json.dumps(cell, ensure_ascii=False).translate(_ESCAPES)


def _array(cell: Sequence[UUID]) -> str:
    return array_of(cell)


class _Writers(dict[type, Callable[[Any], str]]):
    """How a cell of each type is written; a type that was not met before is looked at once."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        writer = next(write for base, write in _BASES if issubclass(kind, base))
        self[kind] = writer
        return writer


_BASES: Final[Sequence[tuple[type, Callable[[Any], str]]]] = (
    (type(None), _null), (str, _text), (UUID, str), (int, str), (datetime, datetime.isoformat), (Mapping, _json),
    (Sequence, _array),
)  # fmt: skip
_WRITERS: Final = _Writers()
