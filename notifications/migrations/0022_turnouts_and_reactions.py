"""Before the deployment: the version before it leaves the new tables and columns empty."""

import uuid
from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

import notifications.models.kinds


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0021_tally_triggers"),
    ]

    operations = [
        migrations.CreateModel(
            name="TurnoutNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("version_id", models.UUIDField()),
                ("part_of", models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000"))),
                ("channel", models.CharField(max_length=5)),
                ("state", models.CharField(max_length=10)),
                ("reason", models.CharField(blank=True, default="", max_length=24)),
                ("change", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="SpendingNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("version_id", models.UUIDField()),
                ("part_of", models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000"))),
                ("channel", models.CharField(max_length=5)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("messages", models.IntegerField()),
                ("segments", models.IntegerField()),
                ("amount", models.DecimalField(decimal_places=6, default=Decimal(0), max_digits=20)),
            ],
        ),
        migrations.AddField(
            model_name="notification",
            name="part_of",
            field=models.UUIDField(
                blank=True,
                help_text="The bigger thing that it is a part of, such as one variant of a campaign.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="paused_at",
            field=models.DateTimeField(blank=True, help_text="While this is set, nothing of it leaves.", null=True),
        ),
        migrations.CreateModel(
            name="Turnout",
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
                    "state",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("retrying", "Retrying"),
                            ("uncertain", "Uncertain"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                            ("suppressed", "Suppressed"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, choices=notifications.models.kinds.reasons, default="", max_length=24),
                ),
                ("count", models.BigIntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["part_of"], name="turnout_part"),
                    models.Index(fields=["version_id", "hour"], name="turnout_version"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "version_id", "part_of", "channel", "state", "reason"), name="turnout_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reaction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("delivered", "Delivered"),
                            ("deferred", "Deferred"),
                            ("failed", "Failed"),
                            ("bounced", "Bounced"),
                            ("complained", "Complained"),
                            ("opted_out", "Opted out"),
                            ("opened", "Opened"),
                            ("clicked", "Clicked"),
                            ("blocked", "Blocked"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("detail", models.CharField(blank=True, default="", max_length=500)),
                (
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="notifications.delivery",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Spending",
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
                    "currency",
                    models.CharField(blank=True, default="", help_text="Empty: no price was known.", max_length=3),
                ),
                ("messages", models.BigIntegerField()),
                (
                    "segments",
                    models.BigIntegerField(help_text="Parts of text messages; for anything else as many as messages."),
                ),
                ("amount", models.DecimalField(decimal_places=6, default=Decimal(0), max_digits=20)),
            ],
            options={
                "verbose_name_plural": "spendings",
                "indexes": [
                    models.Index(fields=["part_of"], name="spending_part"),
                    models.Index(fields=["version_id", "hour"], name="spending_version"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "version_id", "part_of", "channel", "currency"), name="spending_once"
                    )
                ],
            },
        ),
    ]
