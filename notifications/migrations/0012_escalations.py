"""Before the deployment: the version before it leaves the new table empty, and the new column to its default."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_escalation"),
        ("notifications", "0011_events_of_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="Escalation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="notifications.notification",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.recipient",
                    ),
                ),
                (
                    "channels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5
                        ),
                        help_text="Those that are left, in their order.",
                        size=None,
                    ),
                ),
                ("due_at", models.DateTimeField(help_text="When the next one is tried, if nothing is heard.")),
                (
                    "escalate_after",
                    models.PositiveIntegerField(help_text="Seconds in which something is to be heard of each."),
                ),
                ("reach", models.CharField(choices=[("all", "All"), ("latest", "Latest")], max_length=6)),
                (
                    "delivery_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), help_text="What was tried last.", size=None
                    ),
                ),
                (
                    "earlier_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, help_text="What was tried before that.", size=None
                    ),
                ),
                (
                    "said",
                    models.JSONField(
                        default=dict, help_text="What is said to this person alone, and who a contact is."
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="audience",
            name="routing",
            field=models.JSONField(db_default={}, default=dict, help_text="What the request said of the way it takes."),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(fields=["due_at"], name="escalation_due"),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(fields=["notification"], name="escalation_notification"),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(
                condition=models.Q(("recipient__isnull", False)), fields=["recipient"], name="escalation_recipient"
            ),
        ),
        migrations.AddIndex(
            model_name="escalation",
            index=django.contrib.postgres.indexes.GinIndex(fields=["delivery_ids"], name="escalation_deliveries"),
        ),
        migrations.AddConstraint(
            model_name="escalation",
            constraint=models.CheckConstraint(condition=models.Q(("channels__len__gt", 0)), name="escalation_goes_on"),
        ),
        migrations.AddConstraint(
            model_name="escalation",
            constraint=models.CheckConstraint(
                condition=models.Q(("channels__contained_by", ["push", "sms", "email"])),
                name="escalation_channels_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="escalation",
            constraint=models.CheckConstraint(
                condition=models.Q(("reach__in", ["all", "latest"])), name="escalation_reach_known"
            ),
        ),
    ]
