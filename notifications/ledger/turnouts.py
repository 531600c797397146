"""What became of deliveries, by template and by what they are a part of, without counting the log.

The triggers that note for the tally (`tally.py`) note for this as well; notes become counts in the same way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.channels import Channel
from accounts.ids import array_of
from notifications.ledger.tally import TOGETHER
from notifications.models import TurnoutState
from notifications.vocabulary import Reason


@dataclass(frozen=True, slots=True)
class Turnouts:
    """Deliveries that stand alike. `of` is what was asked about: the part, the version or the category.

    `reason` is None where all is well, and for what waits.
    """

    of: UUID
    channel: Channel
    state: TurnoutState
    reason: Reason | None
    count: int


#: Notes become counts; as that of the tally, and in the order of the key for the same reason.
_FOLD: Final = """
    WITH taken AS (
        DELETE FROM notifications_turnoutnote
         WHERE id IN (SELECT id
                        FROM notifications_turnoutnote
                       ORDER BY id
                       LIMIT %(limit)s
                         FOR UPDATE SKIP LOCKED)
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

#: Served by turnout_version.
_OF_VERSIONS: Final = """
    SELECT version_id, channel, state, reason, sum(count)
      FROM notifications_turnout
     WHERE version_id = ANY(%(versions)s::uuid[]) AND hour >= %(since)s AND hour < %(until)s
     GROUP BY version_id, channel, state, reason
    HAVING sum(count) <> 0
     ORDER BY version_id, channel, state, reason
"""

#: Served by turnout_version, for every version that any template of the category has had.
_OF_CATEGORIES: Final = """
    SELECT category_id, channel, turnout.state, reason, sum(count)
      FROM templates_app_template AS template
      JOIN templates_app_templateversion AS version ON version.template_id = template.id
      JOIN notifications_turnout AS turnout ON turnout.version_id = version.id
     WHERE category_id = ANY(%(categories)s::uuid[]) AND hour >= %(since)s AND hour < %(until)s
     GROUP BY category_id, channel, turnout.state, reason
    HAVING sum(count) <> 0
     ORDER BY category_id, channel, turnout.state, reason
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
    return _read(_OF_PARTS, {"parts": array_of(parts)})


def is_behind(parts: Iterable[UUID]) -> bool:
    """Whether something of these is noted that `of_parts` does not tell yet."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, {"parts": array_of(parts)})
        return bool(cursor.fetchone()[0])


def of_versions(version_ids: Iterable[UUID], since: datetime, until: datetime) -> Sequence[Turnouts]:
    """What became of what these versions said and was planned in the hours of a half-open span."""
    return _read(_OF_VERSIONS, {"versions": array_of(version_ids), "since": since, "until": until})


def of_categories(category_ids: Iterable[UUID], since: datetime, until: datetime) -> Sequence[Turnouts]:
    """Likewise, of all that templates of these categories said."""
    return _read(_OF_CATEGORIES, {"categories": array_of(category_ids), "since": since, "until": until})


def forget(before: datetime) -> None:
    """Delete the counts of hours whose deliveries are gone from the log."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"before": before})


def _read(statement: str, about: dict[str, Any]) -> Sequence[Turnouts]:
    with connection.cursor() as cursor:
        cursor.execute(statement, about)
        return [
            Turnouts(of, Channel(channel), TurnoutState(state), Reason(reason) if reason else None, int(count))
            for of, channel, state, reason, count in cursor.fetchall()
        ]
