"""Before the deployment: the version before it leaves the new columns to their defaults, and tracks nothing."""

import django.contrib.postgres.fields
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

import accounts.models.applications


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0010_audit_log"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="application",
            name="application_scopes_known",
        ),
        migrations.AddField(
            model_name="category",
            name="attribution_days",
            field=models.PositiveSmallIntegerField(
                db_default=7,
                default=7,
                help_text="Days after a click in which what the person does counts as its success.",
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="track_clicks",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Links in emails lead through here, so that clicks are counted.",
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="track_opens",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Emails carry an invisible picture that tells when they are opened.",
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="track_texts",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Links in text messages as well; they become longer, and the message may have more parts.",
            ),
        ),
        migrations.AlterField(
            model_name="application",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("notifications:write", "Notifications write"),
                        ("notifications:read", "Notifications read"),
                        ("recipients:write", "Recipients write"),
                        ("recipients:read", "Recipients read"),
                        ("templates:read", "Templates read"),
                        ("campaigns:write", "Campaigns write"),
                        ("campaigns:read", "Campaigns read"),
                        ("events:write", "Events write"),
                    ],
                    max_length=40,
                ),
                default=accounts.models.applications.all_scopes,
                help_text="What this application may do through the API.",
                size=None,
            ),
        ),
        AddConstraintNotValid(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "scopes__contained_by",
                        [
                            "notifications:write",
                            "notifications:read",
                            "recipients:write",
                            "recipients:read",
                            "templates:read",
                            "campaigns:write",
                            "campaigns:read",
                            "events:write",
                        ],
                    )
                ),
                name="application_scopes_known",
                violation_error_message="A scope is one of notifications:write, notifications:read, recipients:write, recipients:read, templates:read, campaigns:write, campaigns:read, events:write.",
            ),
        ),
        AddConstraintNotValid(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("attribution_days__gte", 1), ("attribution_days__lte", 90)),
                name="category_attribution_sane",
                violation_error_message="Count what happens within 1 to 90 days of a click.",
            ),
        ),
        ValidateConstraint(model_name="application", name="application_scopes_known"),
        ValidateConstraint(model_name="category", name="category_attribution_sane"),
    ]
