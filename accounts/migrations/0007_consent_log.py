"""Before the deployment: the version before it writes none of the new tables."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.ids

#: What is in the log is there as it was written. Whoever is erased is deleted from it, by nobody but the erasure.
_APPEND_ONLY = """
    CREATE FUNCTION consent_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'A line of the consent log is never changed.'; END $$;

    CREATE TRIGGER consent_log_is_append_only
    BEFORE UPDATE ON accounts_consentchange
    FOR EACH STATEMENT EXECUTE FUNCTION consent_log_is_append_only();
"""
_NO_MORE = """
    DROP TRIGGER consent_log_is_append_only ON accounts_consentchange;
    DROP FUNCTION consent_log_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_escalation"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentChange",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField()),
                (
                    "aspect",
                    models.CharField(
                        choices=[
                            ("preference", "Preference"),
                            ("refusal", "Refusal"),
                            ("suppression", "Suppression"),
                            ("quiet_hours", "Quiet hours"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="accounts.recipient",
                    ),
                ),
                ("address", models.CharField(blank=True, default="", max_length=254)),
                (
                    "category",
                    models.CharField(blank=True, default="", help_text="Empty: every category.", max_length=60),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")],
                        default="",
                        help_text="Empty: every channel.",
                        max_length=5,
                    ),
                ),
                ("before", models.CharField(blank=True, default="", max_length=40)),
                ("after", models.CharField(blank=True, default="", max_length=40)),
                (
                    "actor",
                    models.CharField(
                        choices=[
                            ("recipient", "Recipient"),
                            ("application", "Application"),
                            ("admin", "Admin"),
                            ("provider", "Provider"),
                        ],
                        max_length=11,
                        verbose_name="who",
                    ),
                ),
                ("actor_name", models.CharField(blank=True, default="", max_length=150, verbose_name="name")),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("api", "Api"),
                            ("admin", "Admin"),
                            ("preference_centre", "Preference centre"),
                            ("unsubscribe_page", "Unsubscribe page"),
                            ("one_click", "One click"),
                            ("sms_link", "Sms link"),
                            ("sms_keyword", "Sms keyword"),
                            ("answer", "Answer"),
                            ("receipt", "Receipt"),
                        ],
                        max_length=17,
                    ),
                ),
                ("detail", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={
                "verbose_name_plural": "consent log",
            },
        ),
        migrations.CreateModel(
            name="Refusal",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("address", models.CharField(max_length=254)),
                ("channel", models.CharField(choices=[("sms", "SMS"), ("email", "Email")], max_length=5)),
                (
                    "category",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.category"),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SoftBounce",
            fields=[
                ("address", models.CharField(max_length=254, primary_key=True, serialize=False)),
                (
                    "times",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateTimeField(), default=list, size=None
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="consentchange",
            index=models.Index(
                condition=models.Q(("recipient__isnull", False)),
                fields=["recipient", "id"],
                name="consent_change_recipient",
            ),
        ),
        migrations.AddIndex(
            model_name="consentchange",
            index=models.Index(
                condition=models.Q(("address", ""), _negated=True),
                fields=["address", "id"],
                name="consent_change_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="consentchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("aspect__in", ["preference", "refusal", "suppression", "quiet_hours"])),
                name="consent_change_aspect_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="consentchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("actor__in", ["recipient", "application", "admin", "provider"])),
                name="consent_change_actor_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="consentchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "via__in",
                        [
                            "api",
                            "admin",
                            "preference_centre",
                            "unsubscribe_page",
                            "one_click",
                            "sms_link",
                            "sms_keyword",
                            "answer",
                            "receipt",
                        ],
                    )
                ),
                name="consent_change_via_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="consentchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("recipient__isnull", False), models.Q(("address", ""), _negated=True), _connector="OR"
                ),
                name="consent_change_is_somebodys",
            ),
        ),
        migrations.AddConstraint(
            model_name="refusal",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["sms", "email"])), name="refusal_channel_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="refusal",
            constraint=models.UniqueConstraint(
                fields=("address", "channel", "category"),
                name="refusal_once",
                violation_error_message="This address refuses this category already.",
            ),
        ),
        migrations.RunSQL(_APPEND_ONLY, _NO_MORE),
    ]
