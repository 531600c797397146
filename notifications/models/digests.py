"""Messages that are gathered for a while, to be sent as one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.channels import Channel, Mode
from accounts.ids import new_id
from accounts.models import Application, Recipient
from notifications.models.kinds import choices, one_of
from notifications.models.log import Notification
from templates_app.models import TemplateVersion


class Digest(models.Model):
    """What is gathered for one person under one key until `due_at`.

    Written by the first item and deleted in the transaction that appends what is sent. While it is open there is no
    other for the same person, key, version, application and mode; once it is due, the next item begins another.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    version = models.ForeignKey(
        TemplateVersion, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    mode = models.CharField(max_length=4, choices=choices(Mode))
    key = models.CharField(max_length=200)
    who = models.CharField(max_length=300, help_text="The recipient's id, or a contact's email address and number.")
    recipient = models.ForeignKey(
        Recipient, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    due_at = models.DateTimeField(help_text="When it is sent.")
    is_open = models.BooleanField(default=True, db_default=True, help_text="Whether more may come.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="digest_mode_known", condition=one_of("mode", Mode)),
            models.CheckConstraint(name="digest_key_given", condition=~Q(key="")),
            # of two first items at once, the second waits here and joins the first
            models.UniqueConstraint(
                name="digest_open_once",
                fields=["who", "key", "version", "application", "mode"],
                condition=Q(is_open=True),
            ),
        ]
        indexes = [
            # a worker takes what is due
            models.Index(fields=["due_at"], name="digest_due"),
        ]

    def __str__(self) -> str:
        return f"{self.key} at {self.due_at:%Y-%m-%d %H:%M:%S}"


class DigestEntry(models.Model):
    """One notification's part in a digest: what it says to this person alone, and the deliveries that stand for it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.ForeignKey(
        Digest, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    notification = models.ForeignKey(
        Notification, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    channels = ArrayField(models.CharField(max_length=5, choices=choices(Channel)))
    delivery_ids = ArrayField(models.UUIDField(), help_text="One for each channel, in the same order.")
    said = models.JSONField(default=dict, help_text="What is said to this person alone, and who a contact is.")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "digest entries"
        constraints = [
            models.CheckConstraint(
                name="digest_entry_channels_known",
                condition=Q(channels__contained_by=[channel.value for channel in Channel]),
            ),
            models.CheckConstraint(
                name="digest_entry_whole", condition=Q(channels__len__gt=0, channels__len=models.F("delivery_ids__len"))
            ),
        ]
        indexes = [
            # whoever closes a digest reads what is in it
            models.Index(fields=["digest"], name="digest_entry_digest"),
            # whoever cancels a notification withdraws it
            models.Index(fields=["notification"], name="digest_entry_notification"),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} in {self.digest_id}"
