"""Before the deployment: counts that the version before neither reads nor needs.

From the moment when the triggers are there, they note what changes; the log of before is not counted, because that
would hold up everybody who writes. Counts begin with the next full hour, or at once where the log is empty: what is
planned by then has an id of an hour before, whatever the clocks of the machines say, and its changes are not noted.
"""

from django.db import migrations, models

CHANNELS = {"push": "Push", "sms": "Sms", "email": "Email"}
STANDINGS = {
    "delivered": "Delivered", "sent": "Sent", "waiting": "Waiting", "failed": "Failed", "suppressed": "Suppressed",
}  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("notifications", "0019_roles")]

    operations = [
        migrations.CreateModel(
            name="TallyNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("channel", models.CharField(max_length=5)),
                ("standing", models.CharField(max_length=10)),
                ("change", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("channel", models.CharField(choices=CHANNELS, max_length=5)),
                ("standing", models.CharField(choices=STANDINGS, max_length=10)),
                ("count", models.BigIntegerField()),
            ],
            options={
                "verbose_name_plural": "tallies",
                "constraints": [
                    models.UniqueConstraint(fields=("hour", "channel", "standing"), name="tally_once"),
                ],
            },
        ),
    ]
