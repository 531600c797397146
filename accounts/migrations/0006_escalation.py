"""Before the deployment: the version before it leaves the new column to its default, and escalates nothing."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0005_caps"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="category",
            name="category_routing_known",
        ),
        migrations.AddField(
            model_name="category",
            name="escalate_after",
            field=models.PositiveSmallIntegerField(
                db_default=10,
                default=10,
                help_text="Minutes after which the next channel is tried, where nothing was heard of the one before.",
            ),
        ),
        migrations.AlterField(
            model_name="category",
            name="routing",
            field=models.CharField(
                choices=[("all", "All"), ("first", "First"), ("cheapest", "Cheapest"), ("escalate", "Escalate")],
                db_default="all",
                default="all",
                max_length=8,
            ),
        ),
        AddConstraintNotValid(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("routing__in", ["all", "first", "cheapest", "escalate"])),
                name="category_routing_known",
            ),
        ),
        ValidateConstraint(model_name="category", name="category_routing_known"),
    ]
