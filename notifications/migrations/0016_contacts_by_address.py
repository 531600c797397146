"""Before the deployment: an index that the version before it keeps up without knowing of it."""

from django.db import migrations, models

from notifications.migrations._partitioned import AddIndexBitByBit


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0015_erasures"),
    ]

    operations = [
        AddIndexBitByBit(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("recipient__isnull", True), models.Q(("address", ""), _negated=True)),
                fields=["address"],
                name="delivery_contact",
            ),
        ),
    ]
