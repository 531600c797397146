"""What text messages cost."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from accounts.ids import new_id
from notifications.models.provider_accounts import ProviderAccount


class SmsPriceQuerySet(models.QuerySet["SmsPrice"]):
    """Whose prices are meant."""

    def for_account(self, account: ProviderAccount) -> "SmsPriceQuerySet":
        """The provider's list and, after it, what this account has agreed to."""
        return self.filter(Q(account=account) | Q(provider=account.provider)).order_by(
            models.F("account").asc(nulls_first=True), "valid_from"
        )


class SmsPrice(models.Model):
    """What a part of a text message costs, from a day on, by where it goes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=20, blank=True, default="", help_text="For all accounts of this provider.")
    account = models.ForeignKey(
        ProviderAccount,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="For this account alone, whatever its provider's list says of the same destination.",
    )
    destination = models.CharField(
        max_length=15, help_text="A country, as in KR, or the beginning of a number, as in +82. The longest decides."
    )
    per_segment = models.DecimalField(
        max_digits=10, decimal_places=6, validators=[MinValueValidator(0)], help_text="For each part of a message."
    )
    currency = models.CharField(
        max_length=3, validators=[RegexValidator(r"\A[A-Z]{3}\Z", "Write its three letters of ISO 4217, such as USD.")]
    )
    valid_from = models.DateField(help_text="The first day, in UTC.")

    objects = SmsPriceQuerySet.as_manager()

    class Meta:
        verbose_name = "SMS price"
        verbose_name_plural = "SMS prices"
        constraints = [
            models.CheckConstraint(
                name="sms_price_of_one",
                condition=Q(account__isnull=True) & ~Q(provider="") | Q(account__isnull=False, provider=""),
                violation_error_message="Name a provider or an account, and not both.",
            ),
            models.CheckConstraint(name="sms_price_not_negative", condition=Q(per_segment__gte=0)),
            models.UniqueConstraint(
                name="sms_price_once",
                fields=["provider", "account", "destination", "valid_from"],
                nulls_distinct=False,
                violation_error_message="There is a price for this destination from this day on already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.destination} from {self.valid_from}"
