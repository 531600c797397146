"""Before the deployment: a table that the version before it does not know."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_rules_of_categories"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cap",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: messages of every category together.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="caps",
                        to="accounts.category",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")],
                        default="",
                        help_text="Empty: all channels together.",
                        max_length=5,
                    ),
                ),
                ("most", models.PositiveSmallIntegerField(help_text="So many messages,")),
                ("hours", models.PositiveSmallIntegerField(help_text="in any span of so many hours.")),
            ],
        ),
        migrations.AddConstraint(
            model_name="cap",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel", ""), ("channel__in", ["push", "sms", "email"]), _connector="OR"),
                name="cap_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="cap",
            constraint=models.CheckConstraint(
                condition=models.Q(("hours__gte", 1), ("hours__lte", 744), ("most__gte", 1)),
                name="cap_window_sane",
                violation_error_message="Allow one message at least, in 1 to 744 hours.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cap",
            constraint=models.UniqueConstraint(
                fields=("category", "channel", "hours"),
                name="cap_once",
                nulls_distinct=False,
                violation_error_message="There is a cap for this category, channel and window; change that one.",
            ),
        ),
    ]
