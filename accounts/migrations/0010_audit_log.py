"""Before the deployment: the version before it writes none of the new table, and leaves the new column as it is."""

import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.ids

#: What is in the log is there as it was written. Two years later an operator may delete it, and nobody before.
_APPEND_ONLY = """
    CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF TG_OP = 'DELETE' AND OLD.at < now() - INTERVAL '2 years' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'A line of the audit log is never changed, nor deleted within two years.'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$;

    CREATE TRIGGER audit_log_is_append_only
    BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only();
"""
_NO_MORE = """
    DROP TRIGGER audit_log_is_append_only ON accounts_auditentry;
    DROP FUNCTION audit_log_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_digest_minutes"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("actor_id", models.IntegerField(blank=True, null=True)),
                (
                    "actor_name",
                    models.CharField(
                        help_text="“system” where nobody was signed in.", max_length=150, verbose_name="who"
                    ),
                ),
                ("action", models.CharField(max_length=40)),
                ("model", models.CharField(max_length=100, verbose_name="kind")),
                ("object_id", models.CharField(max_length=64, verbose_name="object")),
                ("object_name", models.CharField(max_length=200, verbose_name="name")),
                ("detail", models.CharField(blank=True, default="", max_length=1000)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name_plural": "audit log",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["model", "object_id", "id"], name="audit_entry_object"),
                    models.Index(fields=["actor_name", "id"], name="audit_entry_actor"),
                ],
            },
        ),
        migrations.RunSQL(_APPEND_ONLY, _NO_MORE),
        migrations.AlterModelOptions(
            name="recipient",
            options={
                "permissions": [
                    ("see_addresses", "Can see addresses and tokens in full, anywhere"),
                    ("export_recipient", "Can download what is known of recipients"),
                ]
            },
        ),
        migrations.AddField(
            model_name="category",
            name="needs_approval",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text=(
                    "What its templates say is published only after somebody who did not write it has approved it."
                ),
            ),
        ),
    ]
