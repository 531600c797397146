"""Up to where a file goes, and what it waits for. One that is being written meanwhile goes up to itself, and waits not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0005_exports"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="up_to",
            field=models.UUIDField(
                help_text="The last delivery that there can be in it; empty: before itself.", null=True
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="waits_for",
            field=models.BigIntegerField(help_text="Transactions below this are over before it is written.", null=True),
        ),
    ]
