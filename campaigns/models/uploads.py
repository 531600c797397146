"""Files that say who is on the list of a segment: what is not read yet of each, and what came of it, for a day."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id
from accounts.models.kinds import choices, one_of
from campaigns.models.segments import Segment
from campaigns.vocabulary import UploadMode, UploadState


class Upload(models.Model):
    """A file for the list of a segment, read by workers step by step.

    Its people are put on a list of its own, which has its id and which nobody looks at. Once the last line is read
    without a fault, that list is in force, in one moment. `line`, `part` and `skip` say how far it is read; they move
    in the transaction that puts people on the list, so that whoever goes on after a crash reads no line twice.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="uploads", db_index=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    mode = models.CharField(max_length=7, choices=choices(UploadMode))
    state = models.CharField(max_length=7, choices=choices(UploadState), default=UploadState.READING.value)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)
    column = models.CharField(max_length=11, blank=True, default="", help_text="By which people are named in it.")
    delimiter = models.CharField(max_length=1, blank=True, default="")
    place = models.PositiveSmallIntegerField(default=0, help_text="Of that column, counted from 0.")
    total = models.PositiveIntegerField(default=0, help_text="Its lines, with the header.")
    line = models.PositiveIntegerField(default=1, help_text="The last one that is read.")
    part = models.PositiveIntegerField(default=0, help_text="The piece in which the next line is.")
    skip = models.PositiveIntegerField(default=0, help_text="Lines of that piece that are read.")
    good = models.PositiveIntegerField(default=0, help_text="Lines that name somebody.")
    bad = models.PositiveIntegerField(default=0, help_text="Lines with a fault.")
    faults = models.JSONField(default=list, help_text="The first of them: line, reason.")
    added = models.PositiveIntegerField(default=0, help_text="People who were not on the list.")
    people = models.PositiveIntegerField(default=0, help_text="On the list in the end.")
    unknown = models.PositiveIntegerField(default=0, help_text="Lines that name somebody unknown here.")
    first_unknown = models.JSONField(default=list, help_text="Whom they name, the first of them.")
    leftover = ArrayField(models.UUIDField(), default=list, help_text="Lists that are of no use any more.")
    lease_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="upload_mode_known", condition=one_of("mode", UploadMode)),
            models.CheckConstraint(name="upload_state_known", condition=one_of("state", UploadState)),
            models.CheckConstraint(
                name="upload_lease_whole",
                condition=Q(lease_id__isnull=True, lease_until__isnull=True)
                | Q(lease_id__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            # a worker asks for what is to be read
            models.Index(fields=["id"], name="upload_reading", condition=Q(state=UploadState.READING.value)),
            # the page of a segment shows its latest
            models.Index(fields=["segment", "id"], name="upload_of_segment"),
        ]

    def __str__(self) -> str:
        return f"{self.line} of {self.total} lines"

    @property
    def percent(self) -> int:
        """How much of it is read; 100 once it is finished, and not before."""
        if self.finished_at:
            return 100
        return min(99, 100 * self.line // self.total) if self.total else 0


class UploadPart(models.Model):
    """Some lines of a file that are not read yet, compressed. It names people, and is deleted once it is read."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(name="upload_part_once", fields=["upload", "number"])]

    def __str__(self) -> str:
        return f"{self.number} of {self.upload_id}"
