"""Before the deployment: the version before it writes batches without the new column, which is then empty."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0003_sent_in_the_row"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="expires_at",
            field=models.DateTimeField(help_text="When the first of its deliveries is of no use any more.", null=True),
        ),
        AddIndexConcurrently(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False), ("lease_id__isnull", True)),
                fields=["expires_at"],
                name="batch_expiring",
            ),
        ),
    ]
