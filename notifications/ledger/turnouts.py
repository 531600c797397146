"""What became of deliveries, by template and by what they are a part of, without counting the log.

The triggers that note for the tally (`tally.py`) note for this as well; notes become counts in the same way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from accounts.channels import Channel
from accounts.ids import array_of
from notifications.ledger.tally import TOGETHER
from notifications.models import TurnoutState
from notifications.vocabulary import Reason


@dataclass(frozen=True, slots=True)
class Turnouts:
    """Deliveries of a part that stand alike. `reason` is None where all is well, and for what waits."""

    of: UUID
    channel: Channel
    state: TurnoutState
    reason: Reason | None
    count: int


#: Notes become counts; as that of the tally, and in the order of the key for the same reason.
_FOLD: Final = """
    WITH taken AS (
        DELETE FROM notifications_turnoutnote
         WHERE id = ANY(ARRAY(SELECT id
                                FROM notifications_turnoutnote
                               ORDER BY id
                               LIMIT %(limit)s
                                 FOR UPDATE SKIP LOCKED))
        RETURNING hour, version_id, part_of, channel, state, reason, change
    ), summed AS (
        SELECT hour, version_id, part_of, channel, state, reason, sum(change) AS change, count(*) AS notes
          FROM taken
         GROUP BY hour, version_id, part_of, channel, state, reason
         ORDER BY hour, version_id, part_of, channel, state, reason
    ), kept AS (
        INSERT INTO notifications_turnout AS turnout (hour, version_id, part_of, channel, state, reason, count)
        SELECT hour, version_id, part_of, channel, state, reason, change
          FROM summed
            ON CONFLICT (hour, version_id, part_of, channel, state, reason)
            DO UPDATE SET count = turnout.count + excluded.count
    )
    SELECT coalesce(sum(notes), 0) FROM summed
"""

#: Served by turnout_part: some dozens of rows for each hour in which a part was planned.
_OF_PARTS: Final = """
    SELECT part_of, channel, state, reason, sum(count)
      FROM notifications_turnout
     WHERE part_of = ANY(%(parts)s::uuid[])
     GROUP BY part_of, channel, state, reason
    HAVING sum(count) <> 0
     ORDER BY part_of, channel, state, reason
"""

#: The notes of some seconds, looked at one by one until one is found: an index of them would cost every note.
_BEHIND: Final = "SELECT EXISTS (SELECT FROM notifications_turnoutnote WHERE part_of = ANY(%(parts)s::uuid[]))"

_FORGET: Final = "DELETE FROM notifications_turnout WHERE hour < %(before)s"


def fold(*, limit: int = TOGETHER) -> int:
    """Add up to `limit` notes to the counts; says how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"limit": limit})
        return int(cursor.fetchone()[0])


def of_parts(parts: Iterable[UUID]) -> Sequence[Turnouts]:
    """What became of all that is a part of these, as of the latest fold."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_PARTS, {"parts": array_of(parts)})
        return [
            Turnouts(of, Channel(channel), TurnoutState(state), Reason(reason) if reason else None, int(count))
            for of, channel, state, reason, count in cursor.fetchall()
        ]


def is_behind(parts: Iterable[UUID]) -> bool:
    """Whether something of these is noted that `of_parts` does not tell yet."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, {"parts": array_of(parts)})
        return bool(cursor.fetchone()[0])


def forget(before: datetime) -> None:
    """Delete the counts of hours whose deliveries are gone from the log."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"before": before})
