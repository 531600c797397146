"""Before the deployment: the version before it leaves the new columns to their defaults."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0003_suppressed_once_a_cause"),
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
        migrations.AddField(
            model_name="category",
            name="label",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Stands before every title, subject and text message; Korean law asks for (광고) before advertising.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="quiet_from",
            field=models.TimeField(
                blank=True,
                help_text="From this hour, by the recipient's clock, its messages wait, as 21:00.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="quiet_spread",
            field=models.PositiveSmallIntegerField(
                db_default=15,
                default=15,
                help_text="Minutes over which what waited goes out, so that not all goes at once.",
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="quiet_until",
            field=models.TimeField(
                blank=True, help_text="Until this hour, which may be the next morning's.", null=True
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="reach",
            field=models.CharField(
                choices=[("all", "All"), ("latest", "Latest")],
                db_default="all",
                default="all",
                max_length=6,
                verbose_name="devices",
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="routing",
            field=models.CharField(
                choices=[("all", "All"), ("first", "First"), ("cheapest", "Cheapest")],
                db_default="all",
                default="all",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="routing_order",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5
                ),
                blank=True,
                db_default=[],
                default=list,
                help_text="The channels in order, where it matters; empty for push, sms, email.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="seen_within_days",
            field=models.PositiveSmallIntegerField(
                db_default=30,
                default=30,
                help_text="A push counts as cheapest where a device was seen within so many days.",
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="when_capped",
            field=models.CharField(
                choices=[("drop", "Drop"), ("hold", "Hold")], db_default="drop", default="drop", max_length=4
            ),
        ),
        migrations.AddField(
            model_name="recipient",
            name="quiet_from",
            field=models.TimeField(
                blank=True, help_text="The person's own quiet hours, besides those of a category.", null=True
            ),
        ),
        migrations.AddField(
            model_name="recipient",
            name="quiet_until",
            field=models.TimeField(blank=True, null=True),
        ),
        AddConstraintNotValid(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quiet_from__isnull", True), ("quiet_until__isnull", True)),
                    models.Q(
                        ("quiet_from__isnull", False),
                        ("quiet_until__isnull", False),
                        models.Q(("quiet_from", models.F("quiet_until")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="category_quiet_hours_whole",
                violation_error_message="Quiet hours have a beginning and an end, which differ.",
            ),
        ),
        AddConstraintNotValid(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("routing__in", ["all", "first", "cheapest"])), name="category_routing_known"
            ),
        ),
        AddConstraintNotValid(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("routing_order__contained_by", ["push", "sms", "email"])),
                name="category_routing_order_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("reach__in", ["all", "latest"])), name="category_reach_known"
            ),
        ),
        AddConstraintNotValid(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("when_capped__in", ["drop", "hold"])), name="category_when_capped_known"
            ),
        ),
        AddConstraintNotValid(
            model_name="recipient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quiet_from__isnull", True), ("quiet_until__isnull", True)),
                    models.Q(
                        ("quiet_from__isnull", False),
                        ("quiet_until__isnull", False),
                        models.Q(("quiet_from", models.F("quiet_until")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="recipient_quiet_hours_whole",
                violation_error_message="Quiet hours have a beginning and an end, which differ.",
            ),
        ),
        migrations.AddField(
            model_name="cap",
            name="category",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: messages of every category together.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="caps",
                to="accounts.category",
            ),
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
        ValidateConstraint(model_name="category", name="category_quiet_hours_whole"),
        ValidateConstraint(model_name="category", name="category_routing_known"),
        ValidateConstraint(model_name="category", name="category_routing_order_known"),
        ValidateConstraint(model_name="category", name="category_reach_known"),
        ValidateConstraint(model_name="category", name="category_when_capped_known"),
        ValidateConstraint(model_name="recipient", name="recipient_quiet_hours_whole"),
    ]
