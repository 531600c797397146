"""Before the deployment: what the version before neither reads nor needs. The index is of no rows yet."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("campaigns", "0008_run_audience")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="retry_asked_at",
            field=models.DateTimeField(help_text="When it was last asked to try again what had failed.", null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="to_retry",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="How many of those wait to be queued again; 0 once none is left."
            ),
        ),
        AddIndexConcurrently(
            model_name="run",
            index=models.Index(condition=models.Q(("to_retry__gt", 0)), fields=["retry_asked_at"], name="run_to_retry"),
        ),
    ]
