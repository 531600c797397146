"""The deliveries of a run as a file: asked for on a page, written by workers step by step, gone after a day.

A chunk that is being planned while somebody asks has ids among those of chunks that are there already, and can be seen
later: nothing is written before it is there, so that the walk does not pass it by.

Pieces lie in the database, compressed: whichever machine wrote one, every web server can hand it out. Memory is that of
one step, however long the file.
"""

import time
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F

from accounts.ids import new_id
from accounts.staff import audit
from accounts.staff.audit import Deed
from accounts.staff.eyes import SEE
from campaigns.models import Arm, Export, ExportPart, Run
from campaigns.reports import cells, delivery_lines
from campaigns.reports.counting import added
from campaigns.reports.delivery_lines import COLUMNS, Wanted
from campaigns.reports.reading import Which, counted
from campaigns.vocabulary import EXPORT
from notifications import queues
from notifications.liveness import signing
from notifications.stopping import stopping

#: How long a file is kept.
KEPT: Final = timedelta(days=1)
#: Lines of one step.
STEP: Final = 5_000
#: Seconds after which others have their turn: planners have runs to plan, which do not wait for files.
_TURN: Final = 0.5

#: How long a file waits for what was being planned. A session that hangs may hold up no file for ever; what had been
#: planned when it was asked for is in it all the same.
_PATIENCE: Final = timedelta(minutes=1)
#: Seconds after which it is looked again: a transaction takes much less.
_BREATH: Final = 1

#: The first transaction that has not begun. Those that have, and are not over, may have deliveries that nobody sees.
_UNBEGUN: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

#: The oldest that nobody writes, and that waits for nothing; a snapshot knows the transactions of all databases of the
#: server, of which only this one's can have deliveries. Served by export_unfinished.
_TAKE: Final = """
    UPDATE campaigns_export
       SET lease_id = %(lease)s, lease_until = %(until)s
     WHERE id = (SELECT id
                   FROM campaigns_export
                  WHERE finished_at IS NULL
                    AND (lease_id IS NULL OR lease_until < %(at)s)
                    AND (waits_for IS NULL
                         OR created_at < %(patient_until)s
                         OR NOT EXISTS (SELECT 1
                                          FROM pg_snapshot_xip(pg_current_snapshot()) AS under_way
                                          JOIN pg_stat_activity AS session ON session.backend_xid = under_way::xid
                                         WHERE under_way::text::bigint < waits_for
                                           AND session.datname = current_database()))
                  ORDER BY id
                  LIMIT 1
                    FOR UPDATE SKIP LOCKED)
    RETURNING id
"""


def ask(run: Run, by: User, at: datetime) -> Export:
    """Ask for the deliveries of a run, with their addresses if this person may see any.

    While the same is being written for them, asking again leads to it: nobody needs a million lines twice.
    """
    shows_addresses = by.has_perm(SEE)
    same = Export.objects.filter(run=run, asked_by=by, shows_addresses=shows_addresses, finished_at=None)
    if under_way := same.order_by("-id").first():
        return under_way
    parts = list(Arm.objects.filter(run=run).values_list("id", flat=True))
    found = added(counted(Which(parts=parts), "part_of").values())
    key = new_id()
    with transaction.atomic():
        export = Export.objects.create(
            id=key,
            run=run,
            asked_by=by,
            shows_addresses=shows_addresses,
            created_at=at,
            total=found.planned + found.suppressed,
            up_to=delivery_lines.last_of(run, key),
            waits_for=_unbegun(),
        )
        audit.note(run, Deed("exported", "the deliveries, one by one"), by)
        transaction.on_commit(_hint)
    return export


def go_on(*, clock: Callable[[], datetime]) -> None:
    """Write what can be written within a turn, of the oldest file that nobody writes; delete what is old."""
    queues.task_taken(EXPORT)
    forget(clock() - KEPT)
    export = _take(clock())
    if export is None:
        if Export.objects.filter(finished_at=None, lease_id=None).exists():
            _hint(after=_BREATH)
        return
    since = time.monotonic()
    while write_step(export, clock()):
        signing.moved()
        if stopping.is_wished() or time.monotonic() - since > _TURN:
            break
    Export.objects.filter(pk=export.pk, lease_id=export.lease_id).update(lease_id=None, lease_until=None)
    if Export.objects.filter(finished_at=None).exists():
        _hint()


def write_step(export: Export, at: datetime) -> bool:
    """Write the next lines of a file whose lease this process holds; whether there may be more."""
    wanted = Wanted.of(export)
    found = delivery_lines.after(wanted, export.place, STEP)
    text = "" if export.place else cells.BEGINNING + cells.lines([COLUMNS[: None if export.shows_addresses else -1]])
    text += cells.lines(line.cells(shows_addresses=export.shows_addresses) for line in found)
    is_all = len(found) < STEP
    with transaction.atomic():
        held = Export.objects.filter(pk=export.pk, lease_id=export.lease_id, finished_at=None)
        moved = held.update(
            place=found[-1].delivery_id if found else export.place,
            written=F("written") + len(found),
            finished_at=at if is_all else None,
            lease_until=at + _lease(),
        )
        if not moved:
            return False
        number = export.parts.count()
        ExportPart.objects.create(export=export, number=number, body=zlib.compress(text.encode()))
    export.place = found[-1].delivery_id if found else export.place
    return not is_all


def pieces(export: Export) -> Iterator[bytes]:
    """What is written, piece by piece."""
    for number in range(export.parts.count()):
        yield zlib.decompress(bytes(export.parts.values_list("body", flat=True).get(number=number)))


def forget(before: datetime) -> None:
    """Delete files of before."""
    for export in Export.objects.filter(created_at__lt=before).order_by("id")[:10]:
        export.delete()


def _take(at: datetime) -> Export | None:
    lease = new_id()
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"lease": lease, "until": at + _lease(), "at": at, "patient_until": at - _PATIENCE}
        cursor.execute(_TAKE, asked)
        row = cursor.fetchone()
    return Export.objects.select_related("run").get(pk=row[0]) if row else None


def _unbegun() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_UNBEGUN)
        return int(cursor.fetchone()[0])


def _hint(*, after: int = 0) -> None:
    queues.hint_task(EXPORT, queues.PLANNER_QUEUE, after=after)


def _lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)
