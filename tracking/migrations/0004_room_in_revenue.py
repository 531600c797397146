"""Before the deployment: an hour's revenue has room for any number of conversions, each of up to 100 billion.

A thousand of those were too much for it. Backwards the table is read through, and must hold nothing larger.
"""

from decimal import Decimal

from django.db import migrations, models

#: With as many digits behind the point as before, PostgreSQL rewrites nothing and looks at no row.
_WIDEN = """-- squawk-ignore changing-column-type
    ALTER TABLE tracking_revenue ALTER COLUMN amount TYPE numeric(30, 6)"""


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0003_room_on_pages"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.RunSQL(
            [_WIDEN],
            ["ALTER TABLE tracking_revenue ALTER COLUMN amount TYPE numeric(20, 6)"],
            state_operations=[
                migrations.AlterField(
                    model_name="revenue",
                    name="amount",
                    field=models.DecimalField(decimal_places=6, default=Decimal(0), max_digits=30),
                ),
            ],
        ),
    ]
