"""The accounts by which messages leave."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.channels import Mode
from accounts.ids import new_id
from notifications.models.kinds import choices, one_of


class ProviderAccountQuerySet(models.QuerySet["ProviderAccount"]):
    """What routing asks for."""

    def active(self) -> "ProviderAccountQuerySet":
        """Those that may be sent with."""
        return self.filter(is_active=True)


class ProviderAccount(models.Model):
    """Credentials and settings for one outside service."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=60, unique=True)
    provider = models.CharField(max_length=20)
    mode = models.CharField(
        max_length=4,
        choices=choices(Mode),
        default=Mode.LIVE.value,
        help_text="Live accounts send to people; test accounts serve test keys and must name a sandbox as endpoint.",
    )
    endpoint = models.CharField(
        max_length=200, blank=True, default="", help_text="Scheme, host and port; empty for the provider's own."
    )
    credentials = models.BinaryField(editable=False, default=b"")
    settings = models.JSONField(default=dict, blank=True)
    rank = models.PositiveSmallIntegerField(
        default=100, help_text="Where no route says otherwise: among accounts that could serve, the lowest sends."
    )
    is_active = models.BooleanField(default=True)
    messages_per_s = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01)],
        help_text="At most so many messages a second, all workers together; empty for no limit.",
    )
    segments_per_s = models.FloatField(
        "SMS segments per second",
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01)],
        help_text="At most so many parts of text messages a second, as carriers count them; empty for no limit.",
    )
    at_once = models.PositiveSmallIntegerField(
        "requests at once",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="At most so many requests under way in one worker; empty for no limit of its own.",
    )

    objects = ProviderAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="provider_account_mode_known", condition=one_of("mode", Mode)),
            models.CheckConstraint(
                name="provider_account_test_endpoint",
                condition=Q(mode=Mode.LIVE.value) | ~Q(endpoint=""),
                violation_error_message="A test account must name the sandbox as its endpoint.",
            ),
            models.CheckConstraint(
                name="provider_account_limits_positive",
                condition=(
                    (Q(messages_per_s__isnull=True) | Q(messages_per_s__gt=0))
                    & (Q(segments_per_s__isnull=True) | Q(segments_per_s__gt=0))
                    & (Q(at_once__isnull=True) | Q(at_once__gt=0))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name
