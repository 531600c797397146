"""Before the deployment: a table that the version before it does not know."""

from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0014_soft_bounces"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.CharField(help_text="The application, or the user of the admin.", max_length=150)),
                ("recipient_id", models.UUIDField(editable=False, null=True)),
                ("external_id", models.CharField(blank=True, default="", editable=False, max_length=128)),
                ("email", models.CharField(blank=True, default="", editable=False, max_length=254)),
                ("phone", models.CharField(blank=True, default="", editable=False, max_length=16)),
                (
                    "place",
                    models.UUIDField(
                        editable=False, help_text="How far the answers that are kept were read.", null=True
                    ),
                ),
                (
                    "rows",
                    models.JSONField(
                        default=dict, help_text="How many of each table went, or lost what they said of the person."
                    ),
                ),
                ("due_at", models.DateTimeField(help_text="When the next step is to be taken.")),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)), fields=["due_at"], name="erasure_due"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at__isnull", True),
                            models.Q(
                                ("email", ""),
                                ("external_id", ""),
                                ("phone", ""),
                                ("place__isnull", True),
                                ("recipient_id__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="erasure_ends_nameless",
                    ),
                ],
            },
        ),
    ]
