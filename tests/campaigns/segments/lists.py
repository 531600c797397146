"""Files for lists in tests: uploaded, and read as workers would."""

import io
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.ids import floor_of
from campaigns.models import Segment, SegmentMember, Upload
from campaigns.segments import members, uploading
from campaigns.segments.compiling import count
from campaigns.vocabulary import UploadMode, UploadState


def later(**span: float) -> datetime:
    """A moment after everything that was done so far."""
    return timezone.now() + timedelta(seconds=2, **span)


def upload(segment: Segment, text: str | bytes, *, replace: bool = False) -> Upload:
    """Take in a file."""
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    mode = UploadMode.REPLACE if replace else UploadMode.ADD
    return uploading.upload(segment, file, mode, timezone.now(), by=None)


def listed(segment: Segment) -> list[str]:
    """Who is on the list now, however one asks."""
    segment.refresh_from_db()
    found = SegmentMember.objects.filter(segment=segment, list_id__in=segment.lists)
    assert members.members(segment) == count(segment, floor_of(later())) == found.count()
    return sorted(found.values_list("recipient__external_id", flat=True))


def faults(of: Upload) -> list[tuple[int, str]]:
    """What is told to be wrong, line by line."""
    return [(one["line"], one["reason"]) for one in of.faults]


def read_all(**span: float) -> None:
    """Turns of a planner until no file is left to be read."""
    for _ in range(100):
        uploading.go_on(clock=lambda: later(**span))
        if not Upload.objects.filter(state=UploadState.READING).exists():
            return
    raise AssertionError("it is never read")
