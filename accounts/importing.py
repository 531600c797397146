"""Recipients and devices from a CSV file, many at a time. A bad row is reported and never stops the others."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Final, TextIO

from django.db import connection, transaction

from accounts.devices import Registration, registration
from accounts.ids import new_ids
from accounts.recipients import (
    Invalid,
    normal_country,
    normal_email,
    normal_external_id,
    normal_locale,
    normal_phone,
    normal_time_zone,
)

#: Columns a file may have, besides `attributes.<name>`. Only external_id must be there.
PERSON_COLUMNS: Final = ("external_id", "email", "phone", "locale", "country", "time_zone")
DEVICE_COLUMNS: Final = ("platform", "service", "token", "app_version")
_ATTRIBUTE: Final = "attributes."
#: Rows that are written in one transaction.
_TOGETHER: Final = 5000
#: Characters of one cell; python's own limit would let one forgotten quote swallow more of the file.
_LONGEST_CELL: Final = 10_000
#: How python reads bytes that are not UTF-8, so that they spoil their own row and not the file (PEP 383).
_NOT_UTF8: Final = re.compile("[\udc80-\udcff]")


class UnusableFile(Exception):
    """The file as a whole cannot be imported; the message says what would be right. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out. `line` is where it begins, counted from 1, the header included."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One good row: a person, and a device if it names one. Empty values say nothing."""

    external_id: str
    values: Mapping[str, str] = field(repr=False)
    attributes: Mapping[str, str] = field(repr=False)
    device: Registration | None = None


@dataclass(slots=True)
class Imported:
    """What came of a file."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    devices: int = 0
    rejected: list[Rejected] = field(default_factory=list)


def import_file(
    file: BinaryIO, at: datetime, *, dry_run: bool = False, progress: Callable[[int], None] = lambda _rows: None
) -> Imported:
    """Create and update the recipients and devices that `file`, CSV in UTF-8, names, 5,000 rows a transaction.

    An empty cell leaves what is known as it is; a person with several devices has a row for each. Importing a file
    twice adds nothing the second time. With `dry_run` rows are only checked. `progress` is told how many rows
    were read since it was called last. Closes `file`. Raises `UnusableFile`.
    """
    done = Imported()
    with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
        for portion in _portions(_rows(text)):
            good = [row for row in portion if isinstance(row, Row)]
            done.rows += len(portion)
            done.rejected += [row for row in portion if isinstance(row, Rejected)]
            if good and not dry_run:
                created, updated, devices = _write(good, at)
                done.created += created
                done.updated += updated
                done.devices += devices
            progress(len(portion))
    if done.created + done.devices > _TOGETHER:
        with connection.cursor() as cursor:
            # A plan made for the empty tables of before would read all of them for every batch.
            cursor.execute("ANALYZE accounts_recipient, accounts_device")
    return done


def _rows(text: TextIO) -> Iterator[Row | Rejected]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(text, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        raise UnusableFile("The file is empty; its first line must name the columns, external_id among them.") from None
    except csv.Error as error:
        raise UnusableFile(f"The first line cannot be read as CSV: {error}.") from None
    _check_header(header)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Rejected(line, f"Cannot be read as CSV: {error}.")
            continue
        if cells:
            yield _row(header, cells, line)


def _check_header(header: Sequence[str]) -> None:
    known = (*PERSON_COLUMNS, *DEVICE_COLUMNS)
    if unknown := [name for name in header if name not in known and not _is_attribute(name)]:
        raise UnusableFile(
            f"Unknown columns: {', '.join(repr(name) for name in unknown)}. "
            f"Known ones: {', '.join(known)}, and {_ATTRIBUTE}<name>."
        )
    if "external_id" not in header:
        raise UnusableFile("The column external_id is missing.")
    if len(set(header)) < len(header):
        raise UnusableFile("A column is named twice.")


def _is_attribute(name: str) -> bool:
    return name.startswith(_ATTRIBUTE) and name.removeprefix(_ATTRIBUTE).isidentifier()


def _row(header: Sequence[str], cells: Sequence[str], line: int) -> Row | Rejected:
    if len(cells) != len(header):
        return Rejected(line, f"{len(cells)} cells where the header names {len(header)} columns.")
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    if any("\0" in cell for cell in cells):
        return Rejected(line, "Contains a NUL character; remove it.")
    if any(_NOT_UTF8.search(cell) for cell in cells if not cell.isascii()):
        return Rejected(line, "Is not UTF-8; save the file as UTF-8.")
    column = "external_id"
    try:
        external_id = normal_external_id(given["external_id"])
        values: dict[str, str] = {}
        for column, normal in _NORMAL.items():
            if given.get(column):
                values[column] = normal(given[column])
        column = "phone"
        if given.get("phone"):
            values["phone"] = normal_phone(given["phone"], values.get("country", ""))
        device = _device(given)
    except Invalid as error:
        return Rejected(line, f"{error.field or column}: {error}")
    attributes = {
        name.removeprefix(_ATTRIBUTE): cell for name, cell in given.items() if cell and name.startswith(_ATTRIBUTE)
    }
    return Row(external_id, values, attributes, device)


_NORMAL: Final[Mapping[str, Callable[[str], str]]] = {
    "email": normal_email,
    "country": normal_country,
    "locale": normal_locale,
    "time_zone": normal_time_zone,
}


def _device(given: Mapping[str, str]) -> Registration | None:
    if not given.get("token"):
        if given.get("platform"):
            raise Invalid("A row with a platform needs a token.", field="token")
        return None
    return registration(
        given.get("platform", ""),
        given["token"],
        service=given.get("service", ""),
        app_version=given.get("app_version", ""),
    )


def _portions(rows: Iterable[Row | Rejected]) -> Iterator[Sequence[Row | Rejected]]:
    portion: list[Row | Rejected] = []
    for row in rows:
        portion.append(row)
        if len(portion) >= _TOGETHER:
            yield portion
            portion = []
    if portion:
        yield portion


#: New people, or what is new about known ones: an empty value leaves what is known. Sorted by the unique key, so that
#: two imports at once cannot wait for each other in a circle. `xmax` is 0 for a row that was inserted.
_PEOPLE = """
    INSERT INTO accounts_recipient AS known
           (id, external_id, email, phone, locale, country, time_zone, attributes, updated_at)
    SELECT id, external_id, email, phone, locale, country, time_zone, attributes, %(at)s
      FROM unnest(%(ids)s::uuid[], %(external_ids)s::text[], %(email)s::text[], %(phone)s::text[], %(locale)s::text[],
                  %(country)s::text[], %(time_zone)s::text[], %(attributes)s::jsonb[])
           AS file (id, external_id, email, phone, locale, country, time_zone, attributes)
     ORDER BY external_id
        ON CONFLICT (external_id) DO UPDATE
       SET email = coalesce(nullif(excluded.email, ''), known.email),
           phone = coalesce(nullif(excluded.phone, ''), known.phone),
           locale = coalesce(nullif(excluded.locale, ''), known.locale),
           country = coalesce(nullif(excluded.country, ''), known.country),
           time_zone = coalesce(nullif(excluded.time_zone, ''), known.time_zone),
           attributes = known.attributes || excluded.attributes,
           updated_at = excluded.updated_at
    RETURNING external_id, id, xmax = 0
"""

#: A token that somebody has moves to whom the file names.
_DEVICES = """
    INSERT INTO accounts_device AS known
           (id, recipient_id, platform, service, token, app_version, registered_at, seen_at, retired_because)
    SELECT id, recipient_id, platform, service, token, app_version, %(at)s, %(at)s, ''
      FROM unnest(%(ids)s::uuid[], %(recipients)s::uuid[], %(platforms)s::text[], %(services)s::text[],
                  %(tokens)s::text[], %(versions)s::text[])
           AS file (id, recipient_id, platform, service, token, app_version)
     ORDER BY service, token
        ON CONFLICT (service, token) WHERE retired_at IS NULL DO UPDATE
       SET recipient_id = excluded.recipient_id,
           platform = excluded.platform,
           app_version = coalesce(nullif(excluded.app_version, ''), known.app_version),
           registered_at = excluded.registered_at,
           seen_at = excluded.seen_at
"""


def _write(rows: Sequence[Row], at: datetime) -> tuple[int, int, int]:
    """Returns how many people were created and updated, and how many devices were registered."""
    people: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
    devices: dict[tuple[str, str], tuple[str, Registration]] = {}
    for row in rows:
        values, attributes = people.setdefault(row.external_id, ({}, {}))
        values.update(row.values)
        attributes.update(row.attributes)
        if row.device:
            devices[row.device.service, row.device.token] = (row.external_id, row.device)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _PEOPLE,
            {
                "at": at,
                "ids": new_ids(len(people)),
                "external_ids": list(people),
                **{name: [values.get(name, "") for values, _ in people.values()] for name in PERSON_COLUMNS[1:]},
                "attributes": [json.dumps(attributes) for _, attributes in people.values()],
            },
        )
        found = cursor.fetchall()
        id_of = {external_id: recipient_id for external_id, recipient_id, _ in found}
        if devices:
            reported = list(devices.values())
            cursor.execute(
                _DEVICES,
                {
                    "at": at,
                    "ids": new_ids(len(reported)),
                    "recipients": [id_of[owner] for owner, _ in reported],
                    "platforms": [device.platform.value for _, device in reported],
                    "services": [device.service.value for _, device in reported],
                    "tokens": [device.token for _, device in reported],
                    "versions": [device.app_version for _, device in reported],
                },
            )
    created = sum(is_new for *_, is_new in found)
    return created, len(found) - created, len(devices)
