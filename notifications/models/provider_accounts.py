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

    def diverted(self) -> "ProviderAccountQuerySet":
        """Those whose messages go to the sandbox instead."""
        return self.filter(diverted_to__isnull=False)

    def stand_ins_for(self, account: "ProviderAccount") -> "ProviderAccountQuerySet":
        """Those that may send in place of a live account: test accounts of the same provider."""
        return self.active().filter(provider=account.provider, mode=Mode.TEST.value).order_by("rank", "name")


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

    # Without a constraint in the database, which would lock the table: the admin does not let a stand-in be deleted.
    diverted_to = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="The test account that sends in place of this one, so that nothing reaches people.",
    )
    diverted_at = models.DateTimeField(null=True, blank=True, editable=False)
    diverted_by = models.CharField(max_length=150, blank=True, default="", db_default="", editable=False)

    objects = ProviderAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="provider_account_diverted_live",
                condition=Q(mode=Mode.LIVE.value) | Q(diverted_to__isnull=True),
                violation_error_message="Its messages go to the sandbox in place of the real service: end that first.",
            ),
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
