"""Before the deployment: the version before it leaves the new columns to their defaults."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0003_suppressed_once_a_cause"),
    ]

    operations = [
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
        ValidateConstraint(model_name="category", name="category_quiet_hours_whole"),
        ValidateConstraint(model_name="category", name="category_routing_known"),
        ValidateConstraint(model_name="category", name="category_routing_order_known"),
        ValidateConstraint(model_name="category", name="category_reach_known"),
        ValidateConstraint(model_name="category", name="category_when_capped_known"),
        ValidateConstraint(model_name="recipient", name="recipient_quiet_hours_whole"),
        AddIndexConcurrently(
            model_name="recipient",
            index=models.Index(
                condition=models.Q(("quiet_from__isnull", False)), fields=["id"], name="recipient_quiet"
            ),
        ),
    ]
