"""How many deliveries stand how: what the home page reads in place of the log."""

from enum import StrEnum

from django.db import models

from accounts.channels import Channel
from notifications.models.kinds import choices


class Standing(StrEnum):
    """Where a delivery stands, as far as somebody who looks at a day cares."""

    DELIVERED = "delivered"
    SENT = "sent"
    WAITING = "waiting"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class Tally(models.Model):
    """Deliveries of one channel that were planned in one hour and stand alike now."""

    hour = models.DateTimeField()
    channel = models.CharField(max_length=5, choices=choices(Channel))
    standing = models.CharField(max_length=10, choices=choices(Standing))
    count = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(name="tally_once", fields=["hour", "channel", "standing"]),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.channel} {self.standing} of {self.hour:%Y-%m-%d %H:00}"


class TallyNote(models.Model):
    """What one statement changed, to be added to the counts.

    Written by triggers of the log, so that no statement can forget it: by inserts alone, which wait for nobody, where
    adding to a count at once would make every worker wait for the others.
    """

    hour = models.DateTimeField()
    channel = models.CharField(max_length=5)
    standing = models.CharField(max_length=10)
    change = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.change:+} {self.channel} {self.standing} of {self.hour:%Y-%m-%d %H:00}"
