"""Before or after the deployment: an index more, which the version before it does not ask for. Nothing is locked."""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations

#: A build that was cut off leaves an index behind that is of no use.
_LEFT_OVER = "DROP INDEX CONCURRENTLY IF EXISTS recipient_attributes"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0011_tracking_flags"),
    ]

    operations = [
        migrations.RunSQL(_LEFT_OVER, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="recipient",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["attributes"], name="recipient_attributes", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
