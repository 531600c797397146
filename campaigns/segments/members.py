"""Who is on the lists of a segment, and how they come and go. A segment means those on the lists that are in force."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.ids import array_of
from campaigns.models import Segment, SegmentMember
from campaigns.vocabulary import UNFINISHED

#: Several people may have one address; all of them are meant, and somebody who is on a list that stays is not put on
#: another. Tells how many were put on it, and the places of keys that name nobody. Served by the index of the column
#: and by segment_member_once_a_list, in which OFFSET 0 has people looked up one by one: PostgreSQL knows little of a
#: list that grows, and would read all of it in each step.
_PUT: Final = """
    WITH given AS MATERIALIZED (
        SELECT key, place
          FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS one (key, place)
    ), found AS MATERIALIZED (
        SELECT given.place, recipient.id
          FROM given
          JOIN accounts_recipient AS recipient ON recipient.{column} = given.key AND recipient.{column} <> ''
    ), put AS (
        INSERT INTO campaigns_segmentmember (segment_id, list_id, recipient_id)
        SELECT DISTINCT %(segment)s::uuid, %(list)s::uuid, found.id
          FROM found
         WHERE NOT EXISTS (
               SELECT
                 FROM campaigns_segmentmember AS member
                WHERE member.segment_id = %(segment)s
                  AND member.recipient_id = found.id
                  AND member.list_id = ANY(%(kept)s::uuid[])
               OFFSET 0)
         ORDER BY found.id
            ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM put),
           ARRAY(SELECT place
                   FROM given
                  WHERE NOT EXISTS (SELECT FROM found WHERE found.place = given.place)
                  ORDER BY place)
"""

#: A list of no use that no run needs any more: one that has begun to write its audience down goes on with the lists
#: that were in force when it began. There are few uploads and few such runs; both are read whole.
_LEFT_OVER: Final = """
    SELECT upload.id, upload.segment_id, list_id
      FROM campaigns_upload AS upload
     CROSS JOIN LATERAL unnest(upload.leftover) AS list_id
     WHERE upload.finished_at < %(before)s
       AND NOT EXISTS (
           SELECT
             FROM campaigns_run AS run
            WHERE run.state = ANY(%(unfinished)s)
              AND run.frozen_at IS NULL
              AND run.audience #> ARRAY['segments', upload.segment_id::text, 'lists'] ? list_id::text)
     ORDER BY upload.id
     LIMIT 1
       FOR UPDATE OF upload SKIP LOCKED
"""

#: Some of its people. Served by segment_member_once_a_list.
_FORGET: Final = """
    DELETE FROM campaigns_segmentmember
     WHERE id = ANY(ARRAY(SELECT id
                            FROM campaigns_segmentmember
                           WHERE segment_id = %(segment)s AND list_id = %(list)s
                           LIMIT %(limit)s))
"""

_FORGOTTEN: Final = (
    "UPDATE campaigns_upload SET leftover = array_remove(leftover, %(list)s::uuid) WHERE id = %(upload)s"
)


def members(segment: Segment) -> int:
    """How many are in it now: on the lists that are in force. Nobody is on two of them."""
    return SegmentMember.objects.filter(segment=segment, list_id__in=segment.lists).count()


def put(segment: UUID, onto: UUID, keys: Sequence[str], *, column: str, kept: Sequence[UUID]) -> tuple[int, list[int]]:
    """Put those on a list whom keys name, unless they are on a list that is kept.

    Returns how many were put on it, and the places of those keys, from 0, that name nobody.
    """
    given: dict[str, Any] = {"segment": segment, "list": onto, "keys": list(keys), "kept": array_of(kept)}
    with connection.cursor() as cursor:
        cursor.execute(_PUT.format(column=column), given)
        added, unknown = cursor.fetchone()
    return added, [place - 1 for place in unknown]


def forget_some(before: datetime, limit: int) -> bool:
    """Delete some people of a list that is of no use, in a transaction of the caller's; whether there may be more.

    `before`: lists of uploads that ended by then. Whoever reads which lists are in force, and notes it a moment later,
    still finds them whole.
    """
    asked: dict[str, Any] = {"before": before, "unfinished": sorted(one.value for one in UNFINISHED)}
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_OVER, asked)
        row = cursor.fetchone()
        if row is None:
            return False
        upload, segment, old = row
        cursor.execute(_FORGET, {"segment": segment, "list": old, "limit": limit})
        if cursor.rowcount < limit:
            cursor.execute(_FORGOTTEN, {"list": old, "upload": upload})
    return True
