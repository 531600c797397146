"""Before the deployment: the version before it reads no routes, and both tables are empty."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_receipts_are_awaited"),
    ]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="account",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The provider account that took it, or was tried last.",
                max_length=60,
            ),
        ),
        migrations.AlterField(
            model_name="provideraccount",
            name="rank",
            field=models.PositiveSmallIntegerField(
                default=100,
                help_text="Where no route says otherwise: among accounts that could serve, the lowest sends.",
            ),
        ),
        migrations.CreateModel(
            name="Route",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], default="live", max_length=4)),
                (
                    "channel",
                    models.CharField(choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5),
                ),
                (
                    "queue",
                    models.CharField(
                        blank=True,
                        choices=[("ios", "Ios"), ("android", "Android"), ("web", "Web")],
                        default="",
                        help_text="For push: these devices only. Empty for all.",
                        max_length=8,
                        verbose_name="platform",
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="For text messages: a country as +82, or more digits. Empty for all other numbers.",
                        max_length=16,
                        verbose_name="numbers that begin with",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mode", "channel", "queue", "prefix"),
                        name="route_once",
                        violation_error_message="There is a route for exactly this already; change that one.",
                    ),
                    models.CheckConstraint(condition=models.Q(("mode__in", ["live", "test"])), name="route_mode_known"),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["push", "sms", "email"])), name="route_channel_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("queue", ""),
                            models.Q(("channel", "push"), ("queue__in", ["ios", "android", "web"])),
                            _connector="OR",
                        ),
                        name="route_platform_of_push",
                        violation_error_message="Only push has platforms; leave that empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("prefix", ""),
                            models.Q(("channel", "sms"), ("prefix__regex", "^\\+[1-9][0-9]{0,14}$")),
                            _connector="OR",
                        ),
                        name="route_prefix_of_sms",
                        violation_error_message="Only text messages have numbers, which begin with a plus sign and a country.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RouteStep",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="1 sends; 2 takes over where no account of 1 can.",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "weight",
                    models.PositiveSmallIntegerField(
                        default=100, help_text="Its share among those of its position; 0 for nothing at all."
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="notifications.provideraccount",
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="notifications.route"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("route", "account"),
                        name="route_step_once",
                        violation_error_message="An account stands on a route once.",
                    )
                ],
            },
        ),
    ]
