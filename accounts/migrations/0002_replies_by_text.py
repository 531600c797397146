"""Before the deployment: the version before it hears no replies, and leaves the new table empty."""

from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReceivedReply",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("account", models.CharField(help_text="The provider account that told.", max_length=60)),
                ("ref", models.CharField(help_text="The provider's own id of the message.", max_length=200)),
                ("phone", models.CharField(max_length=16)),
                ("wish", models.CharField(choices=[("stop", "Stop"), ("start", "Start")], max_length=5)),
                ("keyword", models.CharField(max_length=60)),
                ("said_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "received replies",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("wish__in", ["stop", "start"])), name="received_reply_wish_known"
                    ),
                    models.UniqueConstraint(fields=("account", "ref"), name="received_reply_once"),
                ],
                "indexes": [
                    models.Index(fields=["phone", "said_at"], name="received_reply_phone"),
                    models.Index(fields=["said_at"], name="received_reply_said"),
                ],
            },
        ),
    ]
