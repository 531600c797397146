"""Before the deployment: the version before it leaves the new columns empty."""

import django.contrib.postgres.fields
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0006_escalation"),
        ("templates_app", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="template",
            name="escalate_after",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Minutes after which the next channel is tried; empty: as its category.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="template",
            name="reach",
            field=models.CharField(
                blank=True,
                choices=[("all", "All"), ("latest", "Latest")],
                db_default="",
                default="",
                help_text="Empty: as its category.",
                max_length=6,
                verbose_name="devices",
            ),
        ),
        migrations.AddField(
            model_name="template",
            name="routing",
            field=models.CharField(
                blank=True,
                choices=[("all", "All"), ("first", "First"), ("cheapest", "Cheapest"), ("escalate", "Escalate")],
                db_default="",
                default="",
                help_text="Empty: as its category.",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="template",
            name="routing_order",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5
                ),
                blank=True,
                db_default=[],
                default=list,
                help_text="The channels in order, where it matters; empty: as its category.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="template",
            name="seen_within_days",
            field=models.PositiveSmallIntegerField(blank=True, help_text="Empty: as its category.", null=True),
        ),
        AddConstraintNotValid(
            model_name="template",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("routing", ""), ("routing__in", ["all", "first", "cheapest", "escalate"]), _connector="OR"
                ),
                name="template_routing_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="template",
            constraint=models.CheckConstraint(
                condition=models.Q(("routing_order__contained_by", ["push", "sms", "email"])),
                name="template_routing_order_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="template",
            constraint=models.CheckConstraint(
                condition=models.Q(("reach", ""), ("reach__in", ["all", "latest"]), _connector="OR"),
                name="template_reach_known",
            ),
        ),
        ValidateConstraint(model_name="template", name="template_routing_known"),
        ValidateConstraint(model_name="template", name="template_routing_order_known"),
        ValidateConstraint(model_name="template", name="template_reach_known"),
    ]
