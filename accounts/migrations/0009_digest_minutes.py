"""Before the deployment: the version before it leaves the new column empty, and gathers nothing."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0008_soft_bounces"),
    ]

    operations = [
        migrations.AddField(
            model_name="category",
            name="digest_minutes",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Messages with one digest key are gathered for so many minutes and sent as one; empty for "
                "never.",
                null=True,
            ),
        ),
        AddConstraintNotValid(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("digest_minutes__isnull", True),
                    models.Q(("digest_minutes__gte", 1), ("digest_minutes__lte", 10080)),
                    _connector="OR",
                ),
                name="category_digest_sane",
                violation_error_message="A digest gathers for a minute at least, and a week at most.",
            ),
        ),
        ValidateConstraint(model_name="category", name="category_digest_sane"),
    ]
