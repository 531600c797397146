"""Before the deployment: an hour's revenue has room for any number of conversions, of which each may be worth 100 billion.

A thousand of those were too much for it. Nothing is rewritten: PostgreSQL keeps a number as long as it is, and more
digits before the point are only allowed. Backwards the table is read through, and must hold nothing larger.
"""

from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0003_room_on_pages"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="revenue",
            name="amount",
            field=models.DecimalField(decimal_places=6, default=Decimal(0), max_digits=30),
        ),
    ]
