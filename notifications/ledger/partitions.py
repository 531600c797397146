"""A partition a day for the notification log: made ahead of time, dropped whole when their time is over."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db import connection, transaction

from accounts.ids import floor_of

TABLES: Final = ("notifications_notification", "notifications_delivery", "notifications_deliveryevent")

_NAMED: Final = re.compile(r"^(?P<table>[a-z_]+)_p(?P<day>\d{8})$")

#: The partitions of a table. The default one, which must stay empty, has no day in its name.
_LIST = """
    SELECT child.relname
      FROM pg_inherits
      JOIN pg_class AS child ON child.oid = inhrelid
     WHERE inhparent = %(table)s::regclass
"""

#: Whether rows of a day came before its partition.
_EARLY = "SELECT EXISTS (SELECT 1 FROM {table}_default WHERE id >= '{first}' AND id < '{end}')"

#: They stand in the way of the partition: PostgreSQL makes none whose rows are in the default one. The parent is locked
#: before its parts, as by everybody who inserts.
_PUT_ASIDE = """
    LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;
    CREATE TEMPORARY TABLE early AS
    SELECT * FROM {table}_default WHERE id >= '{first}' AND id < '{end}';
    DELETE FROM {table}_default WHERE id >= '{first}' AND id < '{end}'
"""

#: Into the partition itself: the triggers of the whole table, which count deliveries, have seen these rows.
_PUT_BACK = "INSERT INTO {part} SELECT * FROM early; DROP TABLE early"

#: Rows whose day had no partition when they came. Anything but 0 is an alarm.
_STRAY = "SELECT count(*) FROM (SELECT 1 FROM {table}_default LIMIT 1000) AS stray"


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What one round of upkeep did; `stray` counts rows in default partitions (up to 1,000 a table)."""

    made: int
    dropped: int
    stray: int


def keep_up(today: date, *, ahead: int, retention: int) -> Upkeep:
    """Make the partitions of today and `ahead` days more, and drop those older than `retention` days.

    Harmless when repeated or done by two at once.
    """
    wanted = [today + timedelta(days=days) for days in range(-1, ahead + 1)]
    oldest = today - timedelta(days=retention)
    made = dropped = stray = 0
    for table in TABLES:
        days = _days(table)
        for day in wanted:
            if day not in days:
                make(table, day)
                made += 1
        for day in days:
            if day < oldest:
                _drop(table, day)
                dropped += 1
        stray += _stray(table)
    return Upkeep(made, dropped, stray)


def make(table: str, day: date) -> None:
    """The partition of one day: every id made from its midnight (UTC) to the next.

    It inherits nothing from its parent's storage settings, so they are given again: deliveries leave room on
    each page for the new versions of their rows, and all are vacuumed and analysed early, because a plan made for an
    empty, never analysed partition turns a 6 ms statement into 300 ms. Rows that came before it move into it.
    """
    first = floor_of(datetime.combine(day, time.min, tzinfo=UTC))
    end = floor_of(datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC))
    # a claim and a record rewrite every delivery: on half-full pages both stay where the row is, and no index is
    # written; at 60 % one update in 24 moves, at 70 % one in 7, and takes its index entries twice
    fill = 50 if table == "notifications_delivery" else 100
    place = {"table": table, "part": f"{table}_p{day:%Y%m%d}", "first": first, "end": end}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute(_EARLY.format(**place))
        (are_early,) = cursor.fetchone()
        if are_early:
            cursor.execute(_PUT_ASIDE.format(**place))
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {table}_p{day:%Y%m%d} PARTITION OF {table} "
            f"FOR VALUES FROM ('{first}') TO ('{end}') "
            f"WITH (fillfactor = {fill}, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)"
        )
        if are_early:
            cursor.execute(_PUT_BACK.format(**place))


def _days(table: str) -> set[date]:
    with connection.cursor() as cursor:
        cursor.execute(_LIST, {"table": table})
        named = [_NAMED.match(name) for (name,) in cursor.fetchall()]
    return {datetime.strptime(match["day"], "%Y%m%d").replace(tzinfo=UTC).date() for match in named if match}


def _drop(table: str, day: date) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute(f"DROP TABLE IF EXISTS {table}_p{day:%Y%m%d}")


def _stray(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_STRAY.format(table=table))
        return int(cursor.fetchone()[0])
