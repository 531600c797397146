"""Files for the list of a segment: stored in the request, read by workers step by step, in force as a whole.

1. `upload` looks at the header and stores the lines in pieces, compressed. A short file is read at once.
2. `read_step` reads the lines of a piece and puts whom they name on a list that nobody looks at, in the transaction
   that moves the place and deletes the piece.
3. With the last line that list is in force, in place of those of before or beside them, or, where a line has a fault,
   never. What is of no use any more is deleted in steps too.

The files of one segment are read one after the other.
"""

import time
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO, TextIOWrapper
from itertools import islice
from typing import BinaryIO, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction

from accounts.ids import new_id
from accounts.staff import audit
from accounts.staff.audit import Deed
from campaigns.models import Segment, Upload, UploadPart
from campaigns.segments import lines, members
from campaigns.segments.lines import Form, Read, UnusableHeader
from campaigns.vocabulary import LIST, UploadMode, UploadState
from notifications import queues
from notifications.liveness import signing
from notifications.stopping import stopping

#: In bytes: a million lines of 100 characters.
LARGEST: Final = 100_000_000
#: Lines of one piece and step: a quarter of a second.
STEP: Final = 5_000
#: Lines up to which a file is read in the request: nobody waits for half a second.
AT_ONCE: Final = 5_000
#: How long what came of a file is kept, and how long it may take to be read.
KEPT: Final = timedelta(days=1)
#: Unknown people who are told one by one.
TOLD_UNKNOWN: Final = 20
#: Seconds after which others have their turn, as with files that are written.
_TURN: Final = 0.5
#: People of a list of no use who are deleted in one transaction.
_TOGETHER: Final = 10_000
#: Whoever looked up the lists in force has noted them by then.
_GRACE: Final = timedelta(minutes=1)

#: The oldest that nobody reads, of each segment the first. Served by upload_reading.
_TAKE: Final = """
    UPDATE campaigns_upload
       SET lease_id = %(lease)s, lease_until = %(until)s
     WHERE id = (SELECT upload.id
                   FROM campaigns_upload AS upload
                  WHERE upload.state = 'reading'
                    AND (upload.lease_id IS NULL OR upload.lease_until < %(at)s)
                    AND NOT EXISTS (SELECT
                                      FROM campaigns_upload AS earlier
                                     WHERE earlier.segment_id = upload.segment_id
                                       AND earlier.state = 'reading'
                                       AND earlier.id < upload.id)
                  ORDER BY upload.id
                  LIMIT 1
                    FOR UPDATE SKIP LOCKED)
    RETURNING id
"""


def upload(segment: Segment, file: BinaryIO, mode: UploadMode, at: datetime, *, by: User | None) -> Upload:
    """Take in a file, CSV in UTF-8 with a header, of whoever is to be on the list of a segment, or on it too.

    A short one is read at once, unless another is being read; of any other the answer says that it is being read. Reads
    line by line, in memory that does not grow; closes `file`.
    """
    made = Upload(segment=segment, mode=mode, uploaded_by=by, created_at=at)
    with TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
        try:
            form = lines.form_of(text.readline())
        except UnusableHeader as error:
            made.state, made.finished_at, made.bad = UploadState.REFUSED.value, at, 1
            made.faults = [lines.Fault(1, str(error)).as_json()]
            made.save()
            return made
        made.column, made.place, made.delimiter = form.column, form.place, form.delimiter
        with transaction.atomic():
            _locked(segment)
            is_first = not Upload.objects.filter(segment=segment, state=UploadState.READING).exists()
            made.save()
            made.total = 1 + _store(made, text)
            if is_first and made.total <= AT_ONCE:
                made.lease_id, made.lease_until = new_id(), at + _lease()
            else:
                transaction.on_commit(_hint)
            made.save(update_fields=["total", "lease_id", "lease_until"])
    if made.lease_id:
        while read_step(made, at):
            pass
    made.refresh_from_db()
    return made


def go_on(*, clock: Callable[[], datetime]) -> None:
    """Read what can be read within a turn, of the oldest file that nobody reads; or delete what is of no use."""
    queues.task_taken(LIST)
    forget(clock() - KEPT, clock())
    found = _take(clock())
    since = time.monotonic()

    def may_go_on() -> bool:
        signing.moved()
        return not stopping.is_wished() and time.monotonic() - since < _TURN

    if found is not None:
        while read_step(found, clock()) and may_go_on():
            pass
        Upload.objects.filter(pk=found.pk, lease_id=found.lease_id).update(lease_id=None, lease_until=None)
    is_more = True
    while may_go_on() and is_more:
        with transaction.atomic():
            is_more = members.forget_some(clock() - _GRACE, _TOGETHER)
    if is_more or (found is not None and Upload.objects.filter(state=UploadState.READING).exists()):
        _hint()


def read_step(of: Upload, at: datetime) -> bool:
    """Read the next lines of a file whose lease this process holds; whether there may be more.

    Who lost the lease, or whose segment was deleted meanwhile, changes nothing.
    """
    pieces = _Pieces(of)
    found = _read(of, pieces)
    with transaction.atomic():
        segment = _locked(of.segment)
        held = Upload.objects.filter(pk=of.pk, lease_id=of.lease_id, state=UploadState.READING)
        if segment is None or not held.select_for_update().exists():
            return False
        _note(of, found)
        _put(of, segment, found)
        of.part, of.skip = pieces.place(found.lines)
        of.lease_until = at + _lease()
        UploadPart.objects.filter(upload=of, number__lt=of.part).delete()
        is_all = found.is_full or not of.parts.exists()
        if is_all:
            _finish(of, segment, at)
        of.save()
    return not is_all


def forget(before: datetime, at: datetime) -> None:
    """What came of files of before is forgotten; one that is not read yet is refused."""
    old = Upload.objects.filter(created_at__lt=before)
    with transaction.atomic():
        for one in old.filter(state=UploadState.READING).select_for_update(skip_locked=True).order_by("id")[:10]:
            one.bad, one.faults = one.bad + 1, [lines.Fault(one.line, "It was not read within a day.").as_json()]
            _refuse(one, at)
            one.save()
    # until its lists are gone, there is somebody who knows of them
    over = old.exclude(state=UploadState.READING)
    over.exclude(leftover=[]).exclude(first_unknown=[]).update(first_unknown=[])
    over.filter(leftover=[]).delete()


class _Pieces:
    """The lines of a file from where it is read to, piece after piece as they are asked for."""

    def __init__(self, of: Upload) -> None:
        self._of = of
        #: How many lines each piece has, from the first that is not read.
        self._sizes: list[int] = []
        self.first = self._lines(of.part)[of.skip :]
        self.rest = len(self.first)

    def __iter__(self) -> Iterator[str]:
        yield from self.first
        number = self._of.part + 1
        while more := self._lines(number):
            yield from more
            number += 1

    def place(self, consumed: int) -> tuple[int, int]:
        """The piece, and the lines of it that are read, after so many lines from here on."""
        number, skip = self._of.part, self._of.skip + consumed
        for size in self._sizes:
            if skip < size:
                break
            number, skip = number + 1, skip - size
        return number, skip

    def _lines(self, number: int) -> list[str]:
        body = self._of.parts.filter(number=number).values_list("body", flat=True).first()
        if body is None:
            return []
        text = zlib.decompress(bytes(body)).decode("utf-8", "surrogateescape")
        found = _divided(text)
        self._sizes.append(len(found))
        return found


def _divided(text: str) -> list[str]:
    """Lines with their ends, as a file that is opened with newline="" has them; splitlines() knows further ends."""
    return list(StringIO(text, newline=""))


def _store(of: Upload, text: TextIOWrapper) -> int:
    """Keep what is left of a file, in pieces; how many lines that is."""
    total = number = 0
    while some := list(islice(text, STEP)):
        body = zlib.compress("".join(some).encode("utf-8", "surrogateescape"), 1)
        UploadPart.objects.create(upload=of, number=number, body=body)
        total, number = total + len(some), number + 1
    return total


def _read(of: Upload, pieces: _Pieces) -> Read:
    form = Form(of.column, of.place, of.delimiter)
    room = max(0, lines.MAX_LINES - of.good - of.bad)
    return lines.read(iter(pieces), form, first=of.line + 1, until=pieces.rest, room=room)


def _note(of: Upload, found: Read) -> None:
    of.line += found.lines
    of.good += len(found.keys)
    of.bad += found.bad
    of.faults = [*of.faults, *(fault.as_json() for fault in found.faults)][: lines.TOLD_FAULTS]


def _put(of: Upload, segment: Segment, found: Read) -> None:
    """Whom lines name; after a fault nobody any more, because it will come to nothing."""
    if of.bad or not found.keys:
        return
    kept = segment.lists if of.mode == UploadMode.ADD else []
    added, unknown = members.put(segment.pk, of.pk, found.keys, column=of.column, kept=kept)
    of.added += added
    of.unknown += len(unknown)
    told = dict.fromkeys([*of.first_unknown, *(found.keys[place] for place in unknown)])
    of.first_unknown = list(islice(told, TOLD_UNKNOWN))


def _finish(of: Upload, segment: Segment, at: datetime) -> None:
    """With its last line: its list is in force, or never will be."""
    if not of.good and not of.bad:
        of.bad, of.faults = 1, [lines.Fault(1, "There is nobody in it.").as_json()]
    elif not of.bad and not of.added and of.mode == UploadMode.REPLACE:
        # a file of another product, or a wrong column: an empty list is hardly what was meant
        told = f"Nobody is known by what stands in its column {of.column}; the list stays as it was."
        of.bad, of.faults = 1, [lines.Fault(1, told).as_json()]
    if of.bad:
        _refuse(of, at)
        return
    if of.mode == UploadMode.REPLACE:
        of.leftover, segment.lists = segment.lists, [of.pk]
    elif of.added:
        segment.lists = [*segment.lists, of.pk]
    segment.changed_at = at
    segment.save(update_fields=["lists", "changed_at"])
    of.state, of.finished_at, of.people = UploadState.TAKEN.value, at, members.members(segment)
    of.lease_id = of.lease_until = None
    told = f"{of.mode}: {of.good} lines, {of.people} people on the list, {of.unknown} unknown"
    audit.note(segment, Deed("uploaded", told), of.uploaded_by)


def _refuse(of: Upload, at: datetime) -> None:
    of.parts.all().delete()
    of.state, of.finished_at = UploadState.REFUSED.value, at
    of.first_unknown, of.leftover = [], [of.pk]
    of.lease_id = of.lease_until = None


def _locked(segment: Segment) -> Segment | None:
    """The row of a segment before that of its file, as whoever deletes both has it; None where it is gone."""
    return Segment.objects.select_for_update(no_key=True).filter(pk=segment.pk).first()


def _take(at: datetime) -> Upload | None:
    lease = new_id()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"lease": lease, "until": at + _lease(), "at": at})
        row = cursor.fetchone()
    return Upload.objects.select_related("segment", "uploaded_by").get(pk=row[0]) if row else None


def _hint() -> None:
    queues.hint_task(LIST, queues.PLANNER_QUEUE)


def _lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)
