"""Before the deployment: files for lists, their pieces, and lists in force. Columns have defaults, and lock nothing long.

Everybody who is on a list is on the first of its segment, which is in force. The version before knows this one alone:
until its last process is gone, upload no file. Backwards, files that are not read yet are gone.
"""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import accounts.ids
import campaigns.models.segments

FIRST = uuid.UUID(int=0)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_attributes_are_asked_for"),
        ("campaigns", "0009_runs_retry_in_steps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("mode", models.CharField(choices=[("add", "Add"), ("replace", "Replace")], max_length=7)),
                (
                    "state",
                    models.CharField(
                        choices=[("reading", "Reading"), ("taken", "Taken"), ("refused", "Refused")],
                        default="reading",
                        max_length=7,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "column",
                    models.CharField(
                        blank=True, default="", help_text="By which people are named in it.", max_length=11
                    ),
                ),
                ("delimiter", models.CharField(blank=True, default="", max_length=1)),
                ("place", models.PositiveSmallIntegerField(default=0, help_text="Of that column, counted from 0.")),
                ("total", models.PositiveIntegerField(default=0, help_text="Its lines, with the header.")),
                ("line", models.PositiveIntegerField(default=1, help_text="The last one that is read.")),
                ("part", models.PositiveIntegerField(default=0, help_text="The piece in which the next line is.")),
                ("skip", models.PositiveIntegerField(default=0, help_text="Lines of that piece that are read.")),
                ("good", models.PositiveIntegerField(default=0, help_text="Lines that name somebody.")),
                ("bad", models.PositiveIntegerField(default=0, help_text="Lines with a fault.")),
                ("faults", models.JSONField(default=list, help_text="The first of them: line, reason.")),
                ("added", models.PositiveIntegerField(default=0, help_text="People who were not on the list.")),
                ("people", models.PositiveIntegerField(default=0, help_text="On the list in the end.")),
                ("unknown", models.PositiveIntegerField(default=0, help_text="Lines that name somebody unknown here.")),
                ("first_unknown", models.JSONField(default=list, help_text="Whom they name, the first of them.")),
                (
                    "leftover",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        default=list,
                        help_text="Lists that are of no use any more.",
                        size=None,
                    ),
                ),
                ("lease_id", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "segment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to="campaigns.segment",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UploadPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("body", models.BinaryField()),
                (
                    "upload",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="campaigns.upload",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(condition=models.Q(("state", "reading")), fields=["id"], name="upload_reading"),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["segment", "id"], name="upload_of_segment"),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["add", "replace"])), name="upload_mode_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["reading", "taken", "refused"])), name="upload_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lease_id__isnull", True), ("lease_until__isnull", True)),
                    models.Q(("lease_id__isnull", False), ("lease_until__isnull", False)),
                    _connector="OR",
                ),
                name="upload_lease_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="uploadpart",
            constraint=models.UniqueConstraint(fields=("upload", "number"), name="upload_part_once"),
        ),
        migrations.AddField(
            model_name="segment",
            name="lists",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(),
                db_default=[FIRST],
                default=campaigns.models.segments.first_list,
                editable=False,
                help_text="The lists in force, of a segment from a file: whoever is on one of them is in it.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="segmentmember",
            name="list_id",
            field=models.UUIDField(db_default=FIRST, default=FIRST, help_text="The upload, or the first list."),
        ),
    ]
