"""Rows into PostgreSQL by COPY: 3 to 11 microseconds a row, against 25 and more for INSERT."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.ids import array_of

#: COPY's text format: a column is escaped, NULL is \N. (PostgreSQL manual, COPY, "Text Format")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

#: Characters that psycopg2 sends at a time; it takes memory for all of them beforehand.
_PIECE: Final = 65_536

Cell = str | int | UUID | datetime | Mapping[str, object] | Sequence[UUID] | None


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Append `rows` to `table` in one statement; `columns` names the cells of a row, in order.

    A mapping becomes JSON, a sequence of ids an array. Defaults of `save()` do not apply.
    """
    lines = "".join(["\t".join([_WRITERS[type(cell)](cell) for cell in row]) + "\n" for row in rows])
    with connection.cursor() as cursor:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        cursor.cursor.copy_expert(statement, StringIO(lines), size=min(len(lines) + 1, _PIECE))


def _text(cell: str) -> str:
    return cell.translate(_ESCAPES)


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
