"""Before the deployment: new tables, of which the version before knows nothing."""

import uuid
from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0011_tracking_flags"),
    ]

    operations = [
        migrations.CreateModel(
            name="Place",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("read_to", models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name="ReactionCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("version_id", models.UUIDField()),
                (
                    "part_of",
                    models.UUIDField(
                        default=uuid.UUID("00000000-0000-0000-0000-000000000000"), help_text="Zero: a part of nothing."
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("machine_opened", "Machine opened"),
                            ("clicked", "Clicked"),
                            ("converted", "Converted"),
                            ("unsubscribed", "Unsubscribed"),
                            ("complained", "Complained"),
                        ],
                        max_length=14,
                    ),
                ),
                ("people", models.BigIntegerField(default=0)),
                ("times", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["part_of"], name="reaction_count_part"),
                    models.Index(fields=["version_id", "hour"], name="reaction_count_version"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "version_id", "part_of", "channel", "kind"), name="reaction_count_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Revenue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("version_id", models.UUIDField()),
                (
                    "part_of",
                    models.UUIDField(
                        default=uuid.UUID("00000000-0000-0000-0000-000000000000"), help_text="Zero: a part of nothing."
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5),
                ),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("conversions", models.BigIntegerField(default=0)),
                ("amount", models.DecimalField(decimal_places=6, default=Decimal(0), max_digits=20)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["part_of"], name="revenue_part"),
                    models.Index(fields=["version_id", "hour"], name="revenue_version"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "version_id", "part_of", "channel", "currency"), name="revenue_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversion",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "ref",
                    models.CharField(
                        help_text="The product's own id of it: told twice, it counts once.", max_length=200
                    ),
                ),
                ("name", models.CharField(default="conversion", max_length=60)),
                ("delivery_id", models.UUIDField(help_text="The delivery that the product named.", null=True)),
                (
                    "attributed_to",
                    models.UUIDField(help_text="The delivery whose click came last before it.", null=True),
                ),
                (
                    "part_of",
                    models.UUIDField(
                        default=uuid.UUID("00000000-0000-0000-0000-000000000000"),
                        help_text="What that delivery is a part of.",
                    ),
                ),
                ("value", models.DecimalField(decimal_places=6, default=Decimal(0), max_digits=18)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("at", models.DateTimeField()),
                ("told_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "application",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.application",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.recipient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("recipient__isnull", False)),
                        fields=["recipient", "at"],
                        name="conversion_recipient",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("application", "ref"), name="conversion_once"),
                    models.CheckConstraint(
                        condition=models.Q(("value", 0), ("currency__regex", "^[A-Z]{3}$"), _connector="OR"),
                        name="conversion_value_has_currency",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Engagement",
            fields=[
                ("delivery_id", models.UUIDField(primary_key=True, serialize=False)),
                ("notification_id", models.UUIDField()),
                ("version_id", models.UUIDField()),
                (
                    "part_of",
                    models.UUIDField(
                        default=uuid.UUID("00000000-0000-0000-0000-000000000000"), help_text="Zero: a part of nothing."
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5),
                ),
                ("opened_at", models.DateTimeField(null=True)),
                ("machine_opened_at", models.DateTimeField(null=True)),
                ("clicked_at", models.DateTimeField(help_text="The first time.", null=True)),
                ("last_clicked_at", models.DateTimeField(null=True)),
                ("converted_at", models.DateTimeField(null=True)),
                ("unsubscribed_at", models.DateTimeField(null=True)),
                ("complained_at", models.DateTimeField(null=True)),
                ("opens", models.PositiveIntegerField(default=0)),
                ("clicks", models.PositiveIntegerField(default=0)),
                (
                    "recipient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.recipient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("recipient__isnull", False)),
                        fields=["recipient"],
                        name="engagement_recipient",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("part_of", uuid.UUID("00000000-0000-0000-0000-000000000000")), _negated=True
                        ),
                        fields=["part_of"],
                        name="engagement_part",
                    ),
                ],
            },
        ),
    ]
