"""Which seats of a throttled run by everybody's own clock are taken. None, for a run that is on its way meanwhile."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0006_export_waits"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="seats",
            field=models.JSONField(
                db_default=[],
                default=list,
                help_text="By everybody's own clock, with a throttle: which seats are taken.",
            ),
        ),
    ]
