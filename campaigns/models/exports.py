"""Files that somebody asked for: what is written so far of each, in pieces, until it is a day old."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id
from campaigns.models.runs import Run


class Export(models.Model):
    """The deliveries of a run as a file, a line each, written by workers step by step.

    Its deliveries are those that were planned before it, up to `up_to`; with those of transactions that were under way
    when it was asked for, which end before the first line is written: their numbers are below `waits_for`. `place` is
    the last one that is written; it moves in the transaction that keeps the piece, so that whoever goes on after a
    crash writes no line twice.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="exports", db_index=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    shows_addresses = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    total = models.PositiveIntegerField(help_text="Lines that there will be, by the roll-ups.")
    up_to = models.UUIDField(null=True, help_text="The last delivery that there can be in it; empty: before itself.")
    waits_for = models.BigIntegerField(null=True, help_text="Transactions below this are over before it is written.")
    written = models.PositiveIntegerField(default=0)
    place = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="export_lease_whole",
                condition=Q(lease_id__isnull=True, lease_until__isnull=True)
                | Q(lease_id__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            # a worker asks for what is unfinished
            models.Index(fields=["id"], name="export_unfinished", condition=Q(finished_at__isnull=True)),
            # the report of a run shows those of whoever looks
            models.Index(fields=["run", "asked_by"], name="export_of_run"),
        ]

    def __str__(self) -> str:
        return f"{self.written} of {self.total} lines"

    @property
    def percent(self) -> int:
        """How much of it is written; 100 once it is finished, and not before."""
        if self.finished_at:
            return 100
        return min(99, 100 * self.written // self.total) if self.total else 0


class ExportPart(models.Model):
    """A piece of a file, compressed. In the database: its worker may be on another machine than the web server."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(name="export_part_once", fields=["export", "number"])]

    def __str__(self) -> str:
        return f"{self.number} of {self.export_id}"
