"""How many deliveries stand how, by hour and channel, without counting the log.

The database itself writes down what every statement changed (see `models/tallies.py` and its migration), in the same
transaction: so many more here, so many fewer there. A task adds these notes to one row for each hour, channel and
standing. A note is deleted in the transaction that adds it, so that none counts twice and none is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from accounts.channels import Channel
from notifications.models.tallies import Standing


@dataclass(frozen=True, slots=True)
class Count:
    """Deliveries that were planned in an hour, and how they stand now."""

    hour: datetime
    channel: Channel
    standing: Standing
    count: int


#: Notes become counts: 5,000 notes take about 10 ms. Two at once: the second passes over what the first has taken.
#: In the order of the key, so that they never wait for each other in a circle.
_FOLD: Final = """
    WITH taken AS (
        DELETE FROM notifications_tallynote
         WHERE id = ANY(ARRAY(SELECT id
                                FROM notifications_tallynote
                               ORDER BY id
                               LIMIT %(limit)s
                                 FOR UPDATE SKIP LOCKED))
        RETURNING hour, channel, standing, change
    ), summed AS (
        SELECT hour, channel, standing, sum(change) AS change, count(*) AS notes
          FROM taken
         GROUP BY hour, channel, standing
         ORDER BY hour, channel, standing
    ), kept AS (
        INSERT INTO notifications_tally AS tally (hour, channel, standing, count)
        SELECT hour, channel, standing, change
          FROM summed
            ON CONFLICT (hour, channel, standing) DO UPDATE SET count = tally.count + excluded.count
    )
    SELECT coalesce(sum(notes), 0) FROM summed
"""

#: Served by the unique index of the hour: 15 rows for each.
_SINCE: Final = "SELECT hour, channel, standing, count FROM notifications_tally WHERE hour >= %(since)s ORDER BY hour"

_FORGET: Final = "DELETE FROM notifications_tally WHERE hour < %(before)s"


#: Notes that are taken in one turn; a turn that finds fewer has found the last.
TOGETHER: Final = 5_000


def fold(*, limit: int = TOGETHER) -> int:
    """Add up to `limit` notes to the counts; says how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"limit": limit})
        return int(cursor.fetchone()[0])


def since(hour: datetime) -> Sequence[Count]:
    """Every count of deliveries planned in this hour or later, as of the latest fold."""
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, {"since": hour})
        return [Count(row[0], Channel(row[1]), Standing(row[2]), row[3]) for row in cursor.fetchall()]


def forget(before: datetime) -> None:
    """Delete the counts of hours whose deliveries are gone from the log."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"before": before})
