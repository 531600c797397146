"""People who are being erased, and that others were."""

from django.db import models
from django.db.models import Q

from accounts.ids import new_id


class Erasure(models.Model):
    """One person's erasure. While it is under way it says whom to look for; what is left of it names nobody.

    Written in the transaction in which the person goes. Their log follows in steps, each in a transaction of its own,
    because somebody may have a hundred thousand lines; a step that is cut off is simply taken again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=150, help_text="The application, or the user of the admin.")
    recipient_id = models.UUIDField(null=True, editable=False)
    external_id = models.CharField(max_length=128, blank=True, default="", editable=False)
    email = models.CharField(max_length=254, blank=True, default="", editable=False)
    phone = models.CharField(max_length=16, blank=True, default="", editable=False)
    place = models.UUIDField(null=True, editable=False, help_text="How far the answers that are kept were read.")
    rows = models.JSONField(
        default=dict, help_text="How many of each table went, or lost what they said of the person."
    )
    due_at = models.DateTimeField(help_text="When the next step is to be taken.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="erasure_ends_nameless",
                condition=Q(finished_at__isnull=True)
                | Q(recipient_id__isnull=True, external_id="", email="", phone="", place__isnull=True),
            ),
        ]
        indexes = [
            # a worker takes what is due
            models.Index(fields=["due_at"], name="erasure_due", condition=Q(finished_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"erasure of {self.asked_at:%Y-%m-%d %H:%M}"
