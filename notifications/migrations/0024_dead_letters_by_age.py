"""Before the deployment: the dead letters of a notification, the oldest first, without sorting what is left each time."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0023_turnout_triggers")]

    operations = [
        AddIndexConcurrently(
            model_name="deadletter",
            index=models.Index(fields=["notification", "at"], name="dead_letter_of_notification"),
        ),
        RemoveIndexConcurrently(model_name="deadletter", name="dead_letter_notification"),
    ]
