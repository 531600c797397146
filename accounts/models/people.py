"""Who can be reached: recipients and their devices."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.channels import Platform, PushService
from accounts.ids import new_id
from accounts.models.kinds import choices, one_of

#: ASCII letters, digits and a few signs: safe in a path, a log line and a CSV file.
EXTERNAL_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@|-]{0,127}$"


class RecipientQuerySet(models.QuerySet["Recipient"]):
    """Who is meant."""

    def known_as(self, external_ids: Iterable[str]) -> "RecipientQuerySet":
        """Those whom products know by these ids. Nobody is known by one that PostgreSQL could not keep."""
        return self.filter(external_id__in=[one for one in external_ids if "\0" not in one])


class Recipient(models.Model):
    """A person who can be notified. `external_id` is the products' own user id, the same for all of them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=128, unique=True)
    email = models.CharField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=16, blank=True, default="", help_text="E.164, for example +821012345678.")
    locale = models.CharField(max_length=35, blank=True, default="", help_text="BCP 47, for example ko-KR.")
    country = models.CharField(max_length=2, blank=True, default="", help_text="ISO 3166-1, for example KR.")
    time_zone = models.CharField(max_length=64, blank=True, default="", help_text="IANA, for example Asia/Seoul.")
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="The person's own quiet hours, besides those of a category."
    )
    quiet_until = models.TimeField(null=True, blank=True)
    attributes = models.JSONField(default=dict, blank=True, help_text="What templates may say about the person.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())

    objects = RecipientQuerySet.as_manager()

    class Meta:
        permissions = [
            ("see_addresses", "Can see addresses and tokens in full, anywhere"),
            ("export_recipient", "Can download what is known of recipients"),
        ]
        constraints = [
            models.CheckConstraint(
                name="recipient_external_id_form",
                condition=Q(external_id__regex=EXTERNAL_ID_PATTERN),
                violation_error_message="Use letters, digits and . _ : @ | - only, at most 128 characters.",
            ),
            models.CheckConstraint(
                name="recipient_phone_form",
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
                violation_error_message="Write the number in E.164: a plus, the country code, the rest, digits only.",
            ),
            models.CheckConstraint(
                name="recipient_attributes_object",
                condition=Q(attributes__contains={}),
                violation_error_message="Attributes are a JSON object.",
            ),
            models.CheckConstraint(
                name="recipient_quiet_hours_whole",
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=models.F("quiet_until"))),
                violation_error_message="Quiet hours have a beginning and an end, which differ.",
            ),
        ]
        indexes = [
            # support looks a person up by address; erasure and inbound STOP find who has it
            models.Index(fields=["email"], name="recipient_email", condition=~Q(email="")),
            models.Index(fields=["phone"], name="recipient_phone", condition=~Q(phone="")),
            # workers ask whether anybody has quiet hours of their own
            models.Index(fields=["id"], name="recipient_quiet", condition=Q(quiet_from__isnull=False)),
            # segments ask who has an attribute of a value
            GinIndex(fields=["attributes"], name="recipient_attributes", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return self.external_id


#: After so long without a connection from an Android phone, Google calls its token dead.
#: firebase.google.com/docs/cloud-messaging/manage-tokens, read 2026-11.
GOOGLE_EXPIRES: Final = timedelta(days=270)


class DeviceQuerySet(models.QuerySet["Device"]):
    """Which can be reached."""

    def live(self) -> "DeviceQuerySet":
        """Those that can still be reached, as far as anybody knows."""
        return self.filter(retired_at__isnull=True)

    def stale(self, at: datetime) -> "DeviceQuerySet":
        """Live ones whose app has not been heard of for DEVICE_STALE_DAYS: perhaps nobody looks at them any more.

        Nothing is retired for that: an app may be in use and never register again.
        """
        return self.live().filter(seen_at__lt=at - timedelta(days=settings.DEVICE_STALE_DAYS))

    def expired(self, at: datetime) -> "DeviceQuerySet":
        """Live ones of Google's that nobody heard of for so long that Google, asked for them, may call them dead."""
        return self.live().filter(service=PushService.FCM.value, seen_at__lt=at - GOOGLE_EXPIRES)


class Device(models.Model):
    """One push token of a recipient and the push service that issued it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="devices")
    platform = models.CharField(max_length=8, choices=choices(Platform))
    service = models.CharField(max_length=8, choices=choices(PushService))
    token = models.CharField(max_length=4096)
    app_version = models.CharField(max_length=40, blank=True, default="")
    registered_at = models.DateTimeField(db_default=Now(), help_text="Last time the app registered this token.")
    seen_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_because = models.CharField(max_length=200, blank=True, default="")

    objects = DeviceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="device_platform_known", condition=one_of("platform", Platform)),
            models.CheckConstraint(name="device_service_known", condition=one_of("service", PushService)),
            models.CheckConstraint(name="device_token_present", condition=~Q(token="")),
            # a token reaches one installation, so it belongs to one recipient at a time
            models.UniqueConstraint(
                name="device_live_token",
                fields=["service", "token"],
                condition=Q(retired_at__isnull=True),
                violation_error_message="This token is registered already; registering it again moves it.",
            ),
        ]
        indexes = [
            # people who look after the installations ask for those that were not seen for long
            models.Index(fields=["seen_at"], name="device_seen", condition=Q(retired_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.platform} device {self.id}"

    def is_stale(self, at: datetime) -> bool:
        """Whether it is among the `stale` ones."""
        silence = timedelta(days=settings.DEVICE_STALE_DAYS)
        return self.retired_at is None and self.seen_at < at - silence
