"""Who a run was begun for, kept with it. Empty for a run that is on its way meanwhile, which asks its segment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0007_run_seats"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="audience",
            field=models.JSONField(
                db_default={},
                default=dict,
                help_text="Who was meant when it began: its segment, and those that it names.",
            ),
        ),
    ]
