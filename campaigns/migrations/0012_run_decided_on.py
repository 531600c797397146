"""What a winner was chosen by, kept with the run. Empty for those decided before, which are compared as a whole."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0011_members_once_a_list"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="decided_on",
            field=models.JSONField(
                db_default={},
                default=dict,
                help_text="What the test had come to when the winner was chosen: letter, counts.",
            ),
        ),
    ]
