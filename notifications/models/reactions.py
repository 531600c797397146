"""What people did with a message, on its way to whoever counts it."""

from django.db import models

from notifications.models.kinds import choices
from notifications.models.log import Delivery
from notifications.vocabulary import ReceiptKind


class Reaction(models.Model):
    """One piece of news of a person's doing that the log did not know yet: opened, clicked, complained, opted out.

    Written in the transaction that appends the event, and deleted in the one that counts it, so that none counts twice.
    """

    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=choices(ReceiptKind))
    at = models.DateTimeField()
    detail = models.CharField(max_length=500, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.kind} of {self.delivery_id}"
