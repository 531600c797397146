"""Before the deployment: the version before it writes no suppression of the new cause."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0007_consent_log"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="suppression",
            name="suppression_cause_known",
        ),
        migrations.AlterField(
            model_name="suppression",
            name="cause",
            field=models.CharField(
                choices=[
                    ("hard_bounce", "Hard bounce"),
                    ("soft_bounce", "Soft bounce"),
                    ("complaint", "Complaint"),
                    ("stop", "Stop"),
                    ("manual", "Manual"),
                ],
                max_length=12,
            ),
        ),
        AddConstraintNotValid(
            model_name="suppression",
            constraint=models.CheckConstraint(
                condition=models.Q(("cause__in", ["hard_bounce", "soft_bounce", "complaint", "stop", "manual"])),
                name="suppression_cause_known",
            ),
        ),
        ValidateConstraint(model_name="suppression", name="suppression_cause_known"),
    ]
