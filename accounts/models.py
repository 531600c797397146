"""Who can call, who can be reached, and what they agreed to."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.channels import Channel, Mode, Platform, PushService
from accounts.ids import new_id
from accounts.received import ReceivedReply as ReceivedReply  # noqa: PLC0414 - to be imported from here

#: ASCII letters, digits and a few signs: safe in a path, a log line and a CSV file.
EXTERNAL_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@|-]{0,127}$"


def _choices(kinds: type[StrEnum]) -> dict[str, str]:
    return {kind.value: kind.name.replace("_", " ").capitalize() for kind in kinds}


def _one_of(field: str, kinds: type[StrEnum]) -> Q:
    return Q(**{f"{field}__in": [kind.value for kind in kinds]})


class Scope(StrEnum):
    """What an application may do through the API."""

    NOTIFICATIONS_WRITE = "notifications:write"
    NOTIFICATIONS_READ = "notifications:read"
    RECIPIENTS_WRITE = "recipients:write"
    RECIPIENTS_READ = "recipients:read"
    TEMPLATES_READ = "templates:read"


def all_scopes() -> list[str]:
    """What a new application may do until somebody narrows it."""
    return [scope.value for scope in Scope]


class Application(models.Model):
    """An API client of a product team."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, unique=True)
    scopes = ArrayField(
        models.CharField(max_length=40, choices=_choices(Scope)),
        default=all_scopes,
        help_text="What this application may do through the API.",
    )
    rate_limit = models.CharField(
        max_length=20,
        default="6000/m",
        help_text="Requests it may make: a number, a slash, and s, m, h or d. For example 200/s.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="application_rate_limit_form",
                condition=Q(rate_limit__regex=r"^[1-9][0-9]{0,8}/[smhd]$"),
                violation_error_message="Write a number, a slash, and s, m, h or d: for example 200/s.",
            ),
            models.CheckConstraint(
                name="application_scopes_known",
                condition=Q(scopes__contained_by=all_scopes()),
                violation_error_message=f"A scope is one of {', '.join(all_scopes())}.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AppKey(models.Model):
    """One appKey of an application, live or test, with up to two valid secrets while they are rotated.

    Only SHA-256 digests are kept. That is enough: a secret is 256 random bits, so there is nothing to
    guess, and a slow hash would cost a quarter of a second on every call.
    """

    key = models.CharField(primary_key=True, max_length=40, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="keys")
    mode = models.CharField(max_length=4, choices=_choices(Mode))
    digest = models.BinaryField(max_length=32, editable=False)
    previous_digest = models.BinaryField(max_length=32, null=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="app_key_mode_known", condition=_one_of("mode", Mode)),
            models.CheckConstraint(
                name="app_key_previous_secret_ends",
                condition=Q(previous_digest__isnull=True, previous_until__isnull=True)
                | Q(previous_digest__isnull=False, previous_until__isnull=False),
                violation_error_message="A previous secret needs the moment at which it stops being valid.",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class RecipientQuerySet(models.QuerySet["Recipient"]):
    """Who is meant."""

    def known_as(self, external_ids: Iterable[str]) -> "RecipientQuerySet":
        """Those whom products know by these ids."""
        return self.filter(external_id__in=list(external_ids))


class Recipient(models.Model):
    """A person who can be notified. `external_id` is the products' own user id, the same for all of them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=128, unique=True)
    email = models.CharField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=16, blank=True, default="", help_text="E.164, for example +821012345678.")
    locale = models.CharField(max_length=35, blank=True, default="", help_text="BCP 47, for example ko-KR.")
    country = models.CharField(max_length=2, blank=True, default="", help_text="ISO 3166-1, for example KR.")
    time_zone = models.CharField(max_length=64, blank=True, default="", help_text="IANA, for example Asia/Seoul.")
    attributes = models.JSONField(default=dict, blank=True, help_text="What templates may say about the person.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())

    objects = RecipientQuerySet.as_manager()

    class Meta:
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
        ]
        indexes = [
            # support looks a person up by address; erasure and inbound STOP find who has it
            models.Index(fields=["email"], name="recipient_email", condition=~Q(email="")),
            models.Index(fields=["phone"], name="recipient_phone", condition=~Q(phone="")),
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
    platform = models.CharField(max_length=8, choices=_choices(Platform))
    service = models.CharField(max_length=8, choices=_choices(PushService))
    token = models.CharField(max_length=4096)
    app_version = models.CharField(max_length=40, blank=True, default="")
    registered_at = models.DateTimeField(db_default=Now(), help_text="Last time the app registered this token.")
    seen_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_because = models.CharField(max_length=200, blank=True, default="")

    objects = DeviceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="device_platform_known", condition=_one_of("platform", Platform)),
            models.CheckConstraint(name="device_service_known", condition=_one_of("service", PushService)),
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


class Consent(StrEnum):
    """What silence means in a category."""

    OPT_OUT = "opt_out"  # may be sent until the person says no
    OPT_IN = "opt_in"  # may be sent only after the person said yes


class Category(models.Model):
    """What a message is about: carries the defaults for consent and, later, for everything a rule needs."""

    #: What may become of a delivery of which nobody knows whether it left.
    IN_DOUBT = {"resend": "Send again (at least once)", "hold": "Hold (at most once)"}

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    consent = models.CharField(max_length=8, choices=_choices(Consent), default=Consent.OPT_OUT.value)
    is_critical = models.BooleanField(
        default=False,
        help_text="Security and legal messages: preferences do not stop them, suppressions still do.",
    )
    in_doubt = models.CharField(
        max_length=8,
        choices=IN_DOUBT,
        default="resend",
        help_text="What to do with a delivery of which nobody knows whether it left.",
    )

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(name="category_consent_known", condition=_one_of("consent", Consent)),
            models.CheckConstraint(name="category_in_doubt_known", condition=Q(in_doubt__in=["resend", "hold"])),
        ]

    def __str__(self) -> str:
        return self.name


class Preference(models.Model):
    """One recipient's choice for a category and channel; where one of them is empty it speaks for all.

    The most specific choice wins: category and channel, category, channel, everything.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="preferences")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, blank=True)
    channel = models.CharField(max_length=5, choices=_choices(Channel), blank=True, default="")
    allowed = models.BooleanField()
    changed_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=100, blank=True, default="", help_text="Where the person said so.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="preference_channel_known", condition=Q(channel="") | _one_of("channel", Channel)
            ),
            models.UniqueConstraint(
                name="preference_one_choice",
                fields=["recipient", "category", "channel"],
                nulls_distinct=False,
                violation_error_message="There is a choice for this category and channel already; change that one.",
            ),
        ]

    def __str__(self) -> str:
        verb = "allows" if self.allowed else "refuses"
        return f"{self.recipient_id} {verb} {self.category_id or 'every category'} by {self.channel or 'every channel'}"


class SuppressionCause(StrEnum):
    """Why an address may not be sent to."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    STOP = "stop"
    MANUAL = "manual"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Which addresses are meant."""

    def standing(self, addresses: Iterable[str]) -> "SuppressionQuerySet":
        """Those of these addresses that nobody may send to."""
        return self.filter(address__in=list(addresses))


class Suppression(models.Model):
    """An address nobody may send to. A dead push token is a retired `Device` instead: it has an owner and a revival."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    channel = models.CharField(max_length=5, choices={"sms": "SMS", "email": "Email"})
    address = models.CharField(max_length=254)
    cause = models.CharField(max_length=12, choices=_choices(SuppressionCause))
    detail = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="suppression_channel_known", condition=Q(channel__in=["sms", "email"])),
            models.CheckConstraint(name="suppression_cause_known", condition=_one_of("cause", SuppressionCause)),
            # one row a cause: who takes back a STOP has not taken back a bounce
            models.UniqueConstraint(
                name="suppression_once_a_cause",
                fields=["address", "channel", "cause"],
                violation_error_message="This address is suppressed for this cause already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} suppression ({self.cause})"
