"""Before the deployment: columns that have a default, and indexes that keep nobody from writing meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0011_tracking_flags"),
        ("tracking", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversion",
            name="look_again_at",
            field=models.DateTimeField(
                help_text="When a click is looked for once more, which came before it and was told after it.", null=True
            ),
        ),
        migrations.AddField(
            model_name="conversion",
            name="mode",
            field=models.CharField(
                choices=[("live", "Live"), ("test", "Test")], db_default="live", default="live", max_length=4
            ),
        ),
        migrations.AddField(
            model_name="engagement",
            name="mode",
            field=models.CharField(
                choices=[("live", "Live"), ("test", "Test")], db_default="live", default="live", max_length=4
            ),
        ),
        AddIndexConcurrently(
            model_name="conversion",
            index=models.Index(
                condition=models.Q(("attributed_to__isnull", True), ("recipient__isnull", True)),
                fields=["delivery_id"],
                name="conversion_contact",
            ),
        ),
        AddIndexConcurrently(
            model_name="conversion",
            index=models.Index(
                condition=models.Q(("look_again_at__isnull", False)),
                fields=["look_again_at"],
                name="conversion_to_look",
            ),
        ),
    ]
