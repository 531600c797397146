"""Messages that wait for news of one channel before they take the next."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from accounts.channels import Channel
from accounts.ids import new_id
from accounts.models import Recipient
from accounts.policies import Reach
from notifications.models.kinds import choices, one_of
from notifications.models.log import Notification


class Escalation(models.Model):
    """One person's message that takes its next channel at `due_at`, unless something is heard of it by then.

    Written in the transaction that plans the channel before, and deleted in the one that plans the next or finds that
    none is needed. Not partitioned: what is left of it is small, and none of it may go with a day of the log.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notification = models.ForeignKey(
        Notification, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    recipient = models.ForeignKey(
        Recipient, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    channels = ArrayField(
        models.CharField(max_length=5, choices=choices(Channel)), help_text="Those that are left, in their order."
    )
    due_at = models.DateTimeField(help_text="When the next one is tried, if nothing is heard.")
    escalate_after = models.PositiveIntegerField(help_text="Seconds in which something is to be heard of each.")
    reach = models.CharField(max_length=6, choices=choices(Reach))
    delivery_ids = ArrayField(models.UUIDField(), help_text="What was tried last.")
    earlier_ids = ArrayField(models.UUIDField(), default=list, help_text="What was tried before that.")
    said = models.JSONField(default=dict, help_text="What is said to this person alone, and who a contact is.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="escalation_goes_on", condition=Q(channels__len__gt=0)),
            models.CheckConstraint(
                name="escalation_channels_known",
                condition=Q(channels__contained_by=[channel.value for channel in Channel]),
            ),
            models.CheckConstraint(name="escalation_reach_known", condition=one_of("reach", Reach)),
        ]
        indexes = [
            # a worker takes what is due
            models.Index(fields=["due_at"], name="escalation_due"),
            # whoever cancels a notification ends its escalations
            models.Index(fields=["notification"], name="escalation_notification"),
            # and whoever is erased is written to no more
            models.Index(fields=["recipient"], name="escalation_recipient", condition=Q(recipient__isnull=False)),
            # a delivery that ends in vain, or is looked at, asks what follows it
            GinIndex(fields=["delivery_ids"], name="escalation_deliveries"),
        ]

    def __str__(self) -> str:
        return f"{self.channels[0]} at {self.due_at:%Y-%m-%d %H:%M:%S}"
