"""Where somebody who was erased could have been left."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection

from accounts.models import Recipient
from notifications.clock import clock

#: Every table of ours, and of the admin's own log, in which somebody could be left.
TABLES = """
    SELECT table_name
      FROM information_schema.tables
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name !~ 'migrations|content_type|permission'
"""


def tables_with(*words: str) -> set[str]:
    """The tables in which one of these words stands anywhere, whatever the column."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            for word in words:
                cursor.execute(f'SELECT 1 FROM "{table}" AS row WHERE row::text LIKE %s LIMIT 1', [f"%{word}%"])
                if cursor.fetchone():
                    found.add(table)
    return found


def later(*, minutes: int = 6) -> Callable[[], datetime]:
    """A clock by which an erasure of this moment has settled."""
    return lambda: clock.now() + timedelta(minutes=minutes)


def words_of(who: Recipient) -> tuple[str, ...]:
    return who.external_id, who.phone, who.email, str(who.pk), "secret-name"
