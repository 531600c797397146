"""How it gets there: the notification log and what is needed to work through it. Shape and constraints, no verbs.

`Notification`, `Delivery` and `DeliveryEvent` are partitioned by day on their UUIDv7 primary key. Their references are
not enforced by the database, because partitions are dropped one by one and a check would cost every insert.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.channels import Channel, Mode
from accounts.ids import floor_of, instant_of, new_id
from accounts.models import Application, Category, Device, Recipient
from notifications.models.kinds import choices, one_of, reasons
from notifications.vocabulary import REASON_TEXT, DeliveryState, EventKind, Lane, Queue, Reason, ReceiptKind, Urgency
from templates_app.models import TemplateVersion

#: How many deliveries may wait in one batch: what a worker claims and sends in one go.
BATCH_SIZE: Final = 500


class Notification(models.Model):
    """One accepted request: which template version, which data, how urgent, until when."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    version = models.ForeignKey(TemplateVersion, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    category = models.ForeignKey(Category, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    mode = models.CharField(max_length=4, choices=choices(Mode))
    urgency = models.CharField(max_length=8, choices=choices(Urgency))
    data = models.JSONField(default=dict)
    send_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    part_of = models.UUIDField(
        null=True, blank=True, help_text="The bigger thing that it is a part of, such as one variant of a campaign."
    )
    paused_at = models.DateTimeField(null=True, blank=True, help_text="While this is set, nothing of it leaves.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="notification_mode_known", condition=one_of("mode", Mode)),
            models.CheckConstraint(name="notification_urgency_known", condition=one_of("urgency", Urgency)),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def accepted_at(self) -> datetime:
        """When it was accepted, from its id."""
        return instant_of(self.id)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """What pages ask of the log."""

    def of(self, notification_id: UUID) -> "DeliveryQuerySet":
        """The deliveries of one notification, in the order in which they were planned.

        They were made with it or, by later chunks, after it: the bound lets PostgreSQL skip older partitions.
        """
        return self.filter(notification_id=notification_id, id__gte=floor_of(instant_of(notification_id))).order_by(
            "id"
        )

    def to_person(self, recipient_id: UUID) -> "DeliveryQuerySet":
        """Everything that one recipient was sent or spared, newest first."""
        return self.filter(recipient_id=recipient_id).order_by("-id")

    def planned_between(self, since: datetime, until: datetime) -> "DeliveryQuerySet":
        """Those that were planned in a half-open span; PostgreSQL looks into the partitions of its days alone."""
        return self.filter(id__gte=floor_of(since), id__lt=floor_of(until))


class Delivery(models.Model):
    """One message to one address of one recipient: the row of the notification log that moves through states.

    A push names its device and finds the token when it is sent; text messages and email carry their address.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notification = models.ForeignKey(
        Notification, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="deliveries"
    )
    recipient = models.ForeignKey(
        Recipient, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, blank=True
    )
    device = models.ForeignKey(
        Device, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, blank=True
    )
    due_at = models.DateTimeField(null=True, blank=True, help_text="When it, or its next attempt, is to go out.")
    attempt = models.PositiveSmallIntegerField(default=0, help_text="How many attempts were made.")
    failures = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How many of them count: being asked to slow down does not."
    )
    channel = models.CharField(max_length=5, choices=choices(Channel))
    queue = models.CharField(
        max_length=8, choices=choices(Queue), blank=True, default="", help_text="Empty where nothing is to be sent."
    )
    state = models.CharField(max_length=10, choices=choices(DeliveryState))
    reason = models.CharField(max_length=24, choices=reasons, blank=True, default="")
    locale = models.CharField(max_length=35, blank=True, default="")
    address = models.CharField(max_length=254, blank=True, default="")
    data = models.JSONField(null=True, blank=True, help_text="What is said to this recipient alone.")
    # What the plain end comes to stands here: an event of its own would take a third of all that a delivery takes.
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When a provider took it.")
    account = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text="The provider account that took it, or was tried last.",
    )
    provider_ref = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="The provider's own id, where it is not ours."
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(name="delivery_channel_known", condition=one_of("channel", Channel)),
            models.CheckConstraint(
                name="delivery_queue_known",
                condition=one_of("queue", Queue) | Q(queue="", state=DeliveryState.SUPPRESSED.value),
            ),
            models.CheckConstraint(name="delivery_state_known", condition=one_of("state", DeliveryState)),
            models.CheckConstraint(
                name="delivery_unsent_has_reason",
                condition=~Q(state__in=["failed", "expired", "cancelled", "suppressed", "uncertain"]) | ~Q(reason=""),
                violation_error_message="Whatever is not sent says why.",
            ),
        ]
        indexes = [
            # API, admin and cancelling ask for the deliveries of one notification
            models.Index(fields=["notification"], name="delivery_notification"),
            # support asks why a person did, or did not, get something
            models.Index(fields=["recipient"], name="delivery_recipient", condition=Q(recipient__isnull=False)),
            # for contacts that were given inline, their address is all that they can be found by
            models.Index(
                fields=["address"], name="delivery_contact", condition=Q(recipient__isnull=True) & ~Q(address="")
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def planned_at(self) -> datetime:
        """When it was planned, from its id."""
        return instant_of(self.id)

    @property
    def reason_text(self) -> str:
        """The reason as a sentence; empty where all is well."""
        return REASON_TEXT[Reason(self.reason)] if self.reason else ""


class DeliveryEventQuerySet(models.QuerySet["DeliveryEvent"]):
    """What a timeline asks for."""

    def of(self, delivery_id: UUID) -> "DeliveryEventQuerySet":
        """The events of one delivery: one range of the primary key, which begins as the delivery's does."""
        first, last = DeliveryEvent.range_of(delivery_id)
        return self.filter(id__gte=first, id__lte=last, delivery_id=delivery_id)


class DeliveryEvent(models.Model):
    """What happened to a delivery, but for its being sent; append-only.

    Its id begins as the delivery's does: see `ledger/events.py`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    at = models.DateTimeField()
    attempt = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=choices(EventKind))
    reason = models.CharField(max_length=24, choices=reasons, blank=True, default="")
    account = models.CharField(max_length=60, blank=True, default="", help_text="The provider account.")
    provider_ref = models.CharField(max_length=200, blank=True, default="", help_text="The provider's own id.")
    detail = models.CharField(max_length=500, blank=True, default="")

    objects = DeliveryEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="delivery_event_kind_known", condition=one_of("kind", EventKind)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%H:%M:%S}"

    @staticmethod
    def range_of(delivery_id: UUID) -> tuple[UUID, UUID]:
        """The first and the last id that an event of this delivery can have."""
        shared = str(delivery_id)[:30]
        return UUID(f"{shared}000000"), UUID(f"{shared}ffffff")


class Batch(models.Model):
    """Deliveries of one lane that wait, or are being sent, together: what still has to be done.

    Written in the transaction that makes its deliveries due and deleted in the one that records the last of
    their outcomes, so that the work which is left can be found without looking through the log. `lease_id` is the
    fencing token of the worker that holds it: whoever records must still hold the lease.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    lane = models.CharField(max_length=20, choices=choices(Lane))
    due_at = models.DateTimeField()
    lease_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When the first of its deliveries is of no use any more.")
    size = models.PositiveSmallIntegerField()
    delivery_ids = ArrayField(models.UUIDField())

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(name="batch_lane_known", condition=one_of("lane", Lane)),
            models.CheckConstraint(name="batch_size", condition=Q(size__gte=1, size__lte=BATCH_SIZE)),
            models.CheckConstraint(
                name="batch_lease_whole",
                condition=Q(lease_id__isnull=True, lease_until__isnull=True)
                | Q(lease_id__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            # a worker asks for what is due in its lane; the sweep for lanes with anything due
            models.Index(fields=["lane", "due_at"], name="batch_waiting", condition=Q(lease_id__isnull=True)),
            # the sweep asks for leases that ran out
            models.Index(fields=["lease_until"], name="batch_leased", condition=Q(lease_id__isnull=False)),
            # and, for what nobody claims, which of them hold something that is too late
            models.Index(
                fields=["expires_at"],
                name="batch_expiring",
                condition=Q(lease_id__isnull=True, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.size} in {self.lane}"


class DeadLetter(models.Model):
    """A delivery whose attempts are used up. An operator can replay it; nothing happens by itself.

    A table of its own: an index over the log's states would cost every delivery its cheap updates.
    """

    delivery = models.OneToOneField(
        Delivery, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    notification = models.ForeignKey(
        Notification, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    queue = models.CharField(max_length=8, choices=choices(Queue))
    account = models.CharField(max_length=60, blank=True, default="", help_text="The provider account that was tried.")
    detail = models.CharField(max_length=500, blank=True, default="", help_text="What the last attempt came to.")
    at = models.DateTimeField()

    class Meta:
        permissions = [("replay_deadletter", "Can try dead letters again")]
        constraints = [models.CheckConstraint(name="dead_letter_queue_known", condition=one_of("queue", Queue))]
        indexes = [
            # a product team replays those of its notification, the oldest first
            models.Index(fields=["notification", "at"], name="dead_letter_of_notification"),
            # operators look at a queue's, the latest first
            models.Index(fields=["queue", "at"], name="dead_letter_queue"),
        ]

    def __str__(self) -> str:
        return str(self.delivery_id)


class Audience(models.Model):
    """Whom a notification is for when nobody is named: everybody who meets `criteria`, planned chunk by chunk.

    Written with its notification and walked by workers in the order of the recipients' ids. `walked_to` moves in the
    transaction that appends a chunk's deliveries, so a walk that is cut off goes on where it was, and nobody is planned
    twice. `lease_id` is the fencing token of the worker that walks.
    """

    notification = models.OneToOneField(
        Notification, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="audience"
    )
    criteria = models.JSONField(default=dict)
    channels = ArrayField(models.CharField(max_length=5, choices=choices(Channel)))
    digest_key = models.CharField(max_length=200, blank=True, default="", db_default="")
    routing = models.JSONField(default=dict, db_default={}, help_text="What the request said of the way it takes.")
    walked_to = models.UUIDField(null=True)
    people = models.PositiveIntegerField(default=0, help_text="Recipients planned so far.")
    planned = models.PositiveIntegerField(default=0, help_text="Deliveries planned so far.")
    suppressed = models.PositiveIntegerField(default=0, help_text="Recipients and channels that get nothing, so far.")
    lease_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="audience_lease_whole",
                condition=Q(lease_id__isnull=True, lease_until__isnull=True)
                | Q(lease_id__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            # a worker asks for what is not walked to its end; the sweep whether there is any
            models.Index(fields=["notification"], name="audience_unfinished", condition=Q(finished_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"audience of {self.notification_id}"


class PendingReceipt(models.Model):
    """A provider's late news that has not been applied yet. Written before the provider's call is answered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    kind = models.CharField(max_length=10, choices=choices(ReceiptKind))
    at = models.DateTimeField()
    detail = models.CharField(max_length=500, blank=True, default="")
    event_ref = models.CharField(max_length=200, blank=True, default="")
    account = models.CharField(max_length=60)
    due_at = models.DateTimeField(help_text="When it is to be applied: at once, or later when its delivery is unknown.")
    kept_at = models.DateTimeField(db_default=Now(), help_text="When the provider told.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="pending_receipt_kind_known", condition=one_of("kind", ReceiptKind)),
        ]
        indexes = [
            # a worker takes what is due
            models.Index(fields=["due_at"], name="pending_receipt_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.delivery_id}"


class AwaitedReceipts(models.Model):
    """Deliveries whose provider is to say whether they arrived, and until when that is waited for.

    Written in the transaction that records them as sent, a few hundred ids a row: an index over the log's rows would
    cost each of them its in-place updates.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    due_at = models.DateTimeField()
    delivery_ids = ArrayField(models.UUIDField())

    class Meta:
        verbose_name_plural = "awaited receipts"
        indexes = [
            # the task that gives them up asks for what is due
            models.Index(fields=["due_at"], name="awaited_receipts_due"),
        ]

    def __str__(self) -> str:
        return f"{len(self.delivery_ids)} until {self.due_at:%Y-%m-%d %H:%M}"


class IdempotencyKey(models.Model):
    """The first answer to a request, so that its repetition gets the same. Kept for a few days."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of the request.")
    answer = models.TextField(blank=True, default="", help_text="The first answer, JSON.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # of two requests with one key at once, the second waits here until the first has committed
            models.UniqueConstraint(name="idempotency_key_once", fields=["application", "key"]),
        ]
        indexes = [
            # the sweep deletes old ones
            models.Index(fields=["created_at"], name="idempotency_key_age"),
        ]

    def __str__(self) -> str:
        return self.key
