"""Before the deployment: the version before it writes none of the new table."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_audit_log"),
        ("templates_app", "0003_partials_and_schemas"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Step",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("written", "written"),
                            ("submitted", "given to review"),
                            ("sent_back", "sent back"),
                            ("approved", "approved"),
                            ("published", "published"),
                            ("retired", "retired"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "by_name",
                    models.CharField(help_text="“system” where nobody was signed in.", max_length=150),
                ),
                ("at", models.DateTimeField()),
                ("comment", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="templates_app.templateversion",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["written", "submitted", "sent_back", "approved", "published", "retired"],
                            )
                        ),
                        name="step_kind_known",
                    )
                ],
            },
        ),
    ]
