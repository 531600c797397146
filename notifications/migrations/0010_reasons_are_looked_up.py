"""Whenever: forms look the reasons up from now on, so that a new one needs no migration. No statement."""

from django.db import migrations, models

import notifications.models.kinds


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0009_receipts_keep_their_time"),
    ]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="reason",
            field=models.CharField(blank=True, choices=notifications.models.kinds.reasons, default="", max_length=24),
        )
        for model in ("delivery", "deliveryevent")
    ]
