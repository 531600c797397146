"""WHAT CAME OF IT: what people did with messages, delivery by delivery, and counted. No verbs."""

from decimal import Decimal
from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.channels import Channel, Mode
from accounts.ids import new_id
from accounts.models import Application, Recipient
from accounts.models.kinds import choices
from notifications.models.turnouts import NO_PART


class ReactionKind(StrEnum):
    """What is counted. `MACHINE_OPENED`: a mail program fetched the pictures, perhaps before anybody looked."""

    OPENED = "opened"
    MACHINE_OPENED = "machine_opened"
    CLICKED = "clicked"
    CONVERTED = "converted"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


class Engagement(models.Model):
    """What one person did with one delivery: a row as soon as they did anything."""

    delivery_id = models.UUIDField(primary_key=True)
    notification_id = models.UUIDField()
    version_id = models.UUIDField()
    part_of = models.UUIDField(default=NO_PART, help_text="Zero: a part of nothing.")
    recipient = models.ForeignKey(
        Recipient, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    channel = models.CharField(max_length=5, choices=choices(Channel))
    mode = models.CharField(max_length=4, choices=choices(Mode), default=Mode.LIVE.value, db_default=Mode.LIVE.value)
    opened_at = models.DateTimeField(null=True)
    machine_opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True, help_text="The first time.")
    last_clicked_at = models.DateTimeField(null=True)
    converted_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)
    opens = models.PositiveIntegerField(default=0)
    clicks = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            # segments ask what somebody did; a conversion for their last click
            models.Index(fields=["recipient"], name="engagement_recipient", condition=Q(recipient__isnull=False)),
            # segments ask who did what with a campaign
            models.Index(fields=["part_of"], name="engagement_part", condition=~Q(part_of=NO_PART)),
        ]

    def __str__(self) -> str:
        return str(self.delivery_id)


class Conversion(models.Model):
    """Something that a product team counts as a success, and the delivery whose click it is put down to."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+", db_index=False)
    ref = models.CharField(max_length=200, help_text="The product's own id of it: told twice, it counts once.")
    name = models.CharField(max_length=60, default="conversion")
    mode = models.CharField(max_length=4, choices=choices(Mode), default=Mode.LIVE.value, db_default=Mode.LIVE.value)
    recipient = models.ForeignKey(
        Recipient, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    delivery_id = models.UUIDField(null=True, help_text="The delivery that the product named.")
    attributed_to = models.UUIDField(null=True, help_text="The delivery whose click came last before it.")
    part_of = models.UUIDField(default=NO_PART, help_text="What that delivery is a part of.")
    value = models.DecimalField(max_digits=18, decimal_places=6, default=Decimal(0))
    currency = models.CharField(max_length=3, blank=True, default="")
    at = models.DateTimeField()
    told_at = models.DateTimeField(db_default=Now())
    look_again_at = models.DateTimeField(
        null=True, help_text="When a click is looked for once more, which came before it and was told after it."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="conversion_once", fields=["application", "ref"]),
            models.CheckConstraint(
                name="conversion_value_has_currency", condition=Q(value=0) | Q(currency__regex=r"^[A-Z]{3}$")
            ),
        ]
        indexes = [
            # segments ask who converted; hold-outs are compared by when they did
            models.Index(fields=["recipient", "at"], name="conversion_recipient", condition=Q(recipient__isnull=False)),
            # a click of somebody without an id asks what it led to
            models.Index(
                fields=["delivery_id"],
                name="conversion_contact",
                condition=Q(recipient__isnull=True, attributed_to__isnull=True),
            ),
            models.Index(fields=["look_again_at"], name="conversion_to_look", condition=Q(look_again_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.ref


class ReactionCount(models.Model):
    """How many people reacted in an hour, for one purpose and channel, and how often in all.

    `people` counts the first time of each delivery, `times` every time.
    """

    hour = models.DateTimeField()
    version_id = models.UUIDField()
    part_of = models.UUIDField(default=NO_PART, help_text="Zero: a part of nothing.")
    channel = models.CharField(max_length=5, choices=choices(Channel))
    kind = models.CharField(max_length=14, choices=choices(ReactionKind))
    people = models.BigIntegerField(default=0)
    times = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="reaction_count_once", fields=["hour", "version_id", "part_of", "channel", "kind"]
            ),
        ]
        indexes = [
            # the report of a campaign reads its own, that of a template a span of hours
            models.Index(fields=["part_of"], name="reaction_count_part"),
            models.Index(fields=["version_id", "hour"], name="reaction_count_version"),
        ]

    def __str__(self) -> str:
        return f"{self.people} {self.kind} at {self.hour:%Y-%m-%d %H:00}"


class Revenue(models.Model):
    """What conversions of one hour, purpose and channel were worth, in one currency."""

    hour = models.DateTimeField()
    version_id = models.UUIDField()
    part_of = models.UUIDField(default=NO_PART, help_text="Zero: a part of nothing.")
    channel = models.CharField(max_length=5, choices=choices(Channel))
    currency = models.CharField(max_length=3, blank=True, default="")
    conversions = models.BigIntegerField(default=0)
    #: Of any number of conversions, whose own values have 18 digits.
    amount = models.DecimalField(max_digits=30, decimal_places=6, default=Decimal(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="revenue_once", fields=["hour", "version_id", "part_of", "channel", "currency"]
            )
        ]
        indexes = [
            # the report of a campaign reads its own, that of a template a span of hours
            models.Index(fields=["part_of"], name="revenue_part"),
            models.Index(fields=["version_id", "hour"], name="revenue_version"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} at {self.hour:%Y-%m-%d %H:00}"


class Place(models.Model):
    """How far somebody has read something that only grows."""

    name = models.CharField(primary_key=True, max_length=40)
    read_to = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.name} to {self.read_to}"
