"""Before the deployment: the version before it leaves the new tables empty, and the new column to its default."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import accounts.ids


def _pointing_at(what: str, **options: bool) -> models.Field:
    """A foreign key that the database neither checks nor indexes."""
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=what,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_digest_minutes"),
        ("notifications", "0016_contacts_by_address"),
        ("templates_app", "0002_routing_of_templates"),
    ]

    operations = [
        migrations.CreateModel(
            name="Digest",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("application", _pointing_at("accounts.application")),
                ("version", _pointing_at("templates_app.templateversion")),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=4)),
                ("key", models.CharField(max_length=200)),
                (
                    "who",
                    models.CharField(
                        help_text="The recipient's id, or a contact's email address and number.", max_length=300
                    ),
                ),
                ("recipient", _pointing_at("accounts.recipient", null=True)),
                ("due_at", models.DateTimeField(help_text="When it is sent.")),
                (
                    "is_open",
                    models.BooleanField(db_default=True, default=True, help_text="Whether more may come."),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DigestEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("digest", _pointing_at("notifications.digest")),
                ("notification", _pointing_at("notifications.notification")),
                (
                    "channels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5
                        ),
                        size=None,
                    ),
                ),
                (
                    "delivery_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), help_text="One for each channel, in the same order.", size=None
                    ),
                ),
                (
                    "said",
                    models.JSONField(
                        default=dict, help_text="What is said to this person alone, and who a contact is."
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={"verbose_name_plural": "digest entries"},
        ),
        migrations.AddField(
            model_name="audience",
            name="digest_key",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddIndex(model_name="digest", index=models.Index(fields=["due_at"], name="digest_due")),
        migrations.AddIndex(
            model_name="digestentry", index=models.Index(fields=["digest"], name="digest_entry_digest")
        ),
        migrations.AddIndex(
            model_name="digestentry", index=models.Index(fields=["notification"], name="digest_entry_notification")
        ),
        migrations.AddConstraint(
            model_name="digest",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["live", "test"])), name="digest_mode_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="digest",
            constraint=models.CheckConstraint(condition=models.Q(("key", ""), _negated=True), name="digest_key_given"),
        ),
        migrations.AddConstraint(
            model_name="digest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_open", True)),
                fields=("who", "key", "version", "application", "mode"),
                name="digest_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="digestentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("channels__contained_by", ["push", "sms", "email"])),
                name="digest_entry_channels_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="digestentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("channels__len", models.F("delivery_ids__len")), ("channels__len__gt", 0)),
                name="digest_entry_whole",
            ),
        ),
    ]
