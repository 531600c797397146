"""Before the deployment: the version before it leaves the new column to its default."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0008_diversions_and_sms_prices"),
    ]

    operations = [
        migrations.AddField(
            model_name="pendingreceipt",
            name="kept_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), help_text="When the provider told."
            ),
        ),
    ]
