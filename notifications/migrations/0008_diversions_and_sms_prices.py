"""Before the deployment: the version before it diverts nobody, and leaves the new table empty."""

import django.core.validators
import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0007_before_routes"),
    ]

    operations = [
        migrations.CreateModel(
            name="SmsPrice",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "provider",
                    models.CharField(
                        blank=True, default="", help_text="For all accounts of this provider.", max_length=20
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        help_text="For this account alone, whatever its provider's list says of the same destination.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="notifications.provideraccount",
                    ),
                ),
                (
                    "destination",
                    models.CharField(
                        help_text="A country, as in KR, or the beginning of a number, as in +82. The longest decides.",
                        max_length=15,
                    ),
                ),
                (
                    "per_segment",
                    models.DecimalField(
                        decimal_places=6,
                        help_text="For each part of a message.",
                        max_digits=10,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator(
                                r"\A[A-Z]{3}\Z", "Write its three letters of ISO 4217, such as USD."
                            )
                        ],
                    ),
                ),
                ("valid_from", models.DateField(help_text="The first day, in UTC.")),
            ],
            options={
                "verbose_name": "SMS price",
                "verbose_name_plural": "SMS prices",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account__isnull", True), models.Q(("provider", ""), _negated=True)),
                            models.Q(("account__isnull", False), ("provider", "")),
                            _connector="OR",
                        ),
                        name="sms_price_of_one",
                        violation_error_message="Name a provider or an account, and not both.",
                    ),
                    models.CheckConstraint(condition=models.Q(("per_segment__gte", 0)), name="sms_price_not_negative"),
                    models.UniqueConstraint(
                        fields=("provider", "account", "destination", "valid_from"),
                        name="sms_price_once",
                        nulls_distinct=False,
                        violation_error_message="There is a price for this destination from this day on already.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="diverted_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="diverted_by",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=150),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="diverted_to",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                editable=False,
                help_text="The test account that sends in place of this one, so that nothing reaches people.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="notifications.provideraccount",
            ),
        ),
        # not validated after that: of the rows that are there, none has anything in the new column
        AddConstraintNotValid(
            model_name="provideraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode", "live"), ("diverted_to__isnull", True), _connector="OR"),
                name="provider_account_diverted_live",
                violation_error_message=(
                    "Its messages go to the sandbox in place of the real service: end that first."
                ),
            ),
        ),
    ]
