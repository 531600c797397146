"""What became of deliveries and what they cost, by template and by what they are a part of: what reports read."""

from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import models

from accounts.channels import Channel
from notifications.models.kinds import choices, reasons

#: Stands for "a part of nothing": a key column holds no NULL.
NO_PART: Final = UUID(int=0)


class TurnoutState(StrEnum):
    """What became of a delivery, as far as a report cares: the states of the log, but all that wait are one."""

    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"


class Turnout(models.Model):
    """Deliveries that were planned in one hour for one purpose by one channel, and stand alike now.

    What waits does so for no reason here: a claim, and an attempt that fails in passing, change nothing.
    """

    hour = models.DateTimeField()
    version_id = models.UUIDField()
    part_of = models.UUIDField(default=NO_PART, help_text="Zero: a part of nothing.")
    channel = models.CharField(max_length=5, choices=choices(Channel))
    state = models.CharField(max_length=10, choices=choices(TurnoutState))
    reason = models.CharField(max_length=24, choices=reasons, blank=True, default="")
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="turnout_once", fields=["hour", "version_id", "part_of", "channel", "state", "reason"]
            ),
        ]
        indexes = [
            # the report of a campaign reads its own, that of a template a span of hours
            models.Index(fields=["part_of"], name="turnout_part"),
            models.Index(fields=["version_id", "hour"], name="turnout_version"),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.channel} {self.state} of {self.hour:%Y-%m-%d %H:00}"


class TurnoutNote(models.Model):
    """What one statement changed, to be added to the turnouts. Written by triggers of the log, as `TallyNote` is."""

    hour = models.DateTimeField()
    version_id = models.UUIDField()
    part_of = models.UUIDField(default=NO_PART)
    channel = models.CharField(max_length=5)
    state = models.CharField(max_length=10)
    reason = models.CharField(max_length=24, blank=True, default="")
    change = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.change:+} {self.channel} {self.state} of {self.hour:%Y-%m-%d %H:00}"


class Spending(models.Model):
    """What the messages cost that were sent in one hour for one purpose by one channel, in one currency."""

    hour = models.DateTimeField()
    version_id = models.UUIDField()
    part_of = models.UUIDField(default=NO_PART, help_text="Zero: a part of nothing.")
    channel = models.CharField(max_length=5, choices=choices(Channel))
    currency = models.CharField(max_length=3, blank=True, default="", help_text="Empty: no price was known.")
    messages = models.BigIntegerField()
    segments = models.BigIntegerField(help_text="Parts of text messages; for anything else as many as messages.")
    amount = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))

    class Meta:
        verbose_name_plural = "spendings"
        constraints = [
            models.UniqueConstraint(
                name="spending_once", fields=["hour", "version_id", "part_of", "channel", "currency"]
            ),
        ]
        indexes = [
            # the report of a campaign reads its own, that of a template a span of hours
            models.Index(fields=["part_of"], name="spending_part"),
            models.Index(fields=["version_id", "hour"], name="spending_version"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} for {self.messages} {self.channel}"


class SpendingNote(models.Model):
    """What one record of answers cost, to be added to the spendings; written in the transaction of that record."""

    hour = models.DateTimeField()
    version_id = models.UUIDField()
    part_of = models.UUIDField(default=NO_PART)
    channel = models.CharField(max_length=5)
    currency = models.CharField(max_length=3, blank=True, default="")
    messages = models.IntegerField()
    segments = models.IntegerField()
    amount = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} for {self.messages} {self.channel}"
