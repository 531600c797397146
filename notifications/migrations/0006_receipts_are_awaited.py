"""Before the deployment: the version before it awaits nothing, and leaves the new table empty."""

import django.contrib.postgres.fields
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_limits_of_accounts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_address", "No address"),
                    ("no_content", "No content"),
                    ("missing_data", "Missing data"),
                    ("opted_out", "Opted out"),
                    ("not_opted_in", "Not opted in"),
                    ("suppressed_address", "Suppressed address"),
                    ("expired", "Expired"),
                    ("cancelled", "Cancelled"),
                    ("device_gone", "Device gone"),
                    ("no_account", "No account"),
                    ("not_rendered", "Not rendered"),
                    ("address_dead", "Address dead"),
                    ("provider_opt_out", "Provider opt out"),
                    ("content_refused", "Content refused"),
                    ("credential_refused", "Credential refused"),
                    ("no_funds", "No funds"),
                    ("throttled", "Throttled"),
                    ("provider_unavailable", "Provider unavailable"),
                    ("no_answer", "No answer"),
                    ("worker_lost", "Worker lost"),
                    ("attempts_exhausted", "Attempts exhausted"),
                    ("breaker_open", "Breaker open"),
                    ("paced", "Paced"),
                    ("mass_death", "Mass death"),
                    ("bounced", "Bounced"),
                    ("complained", "Complained"),
                    ("no_receipt", "No receipt"),
                ],
                default="",
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="deliveryevent",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_address", "No address"),
                    ("no_content", "No content"),
                    ("missing_data", "Missing data"),
                    ("opted_out", "Opted out"),
                    ("not_opted_in", "Not opted in"),
                    ("suppressed_address", "Suppressed address"),
                    ("expired", "Expired"),
                    ("cancelled", "Cancelled"),
                    ("device_gone", "Device gone"),
                    ("no_account", "No account"),
                    ("not_rendered", "Not rendered"),
                    ("address_dead", "Address dead"),
                    ("provider_opt_out", "Provider opt out"),
                    ("content_refused", "Content refused"),
                    ("credential_refused", "Credential refused"),
                    ("no_funds", "No funds"),
                    ("throttled", "Throttled"),
                    ("provider_unavailable", "Provider unavailable"),
                    ("no_answer", "No answer"),
                    ("worker_lost", "Worker lost"),
                    ("attempts_exhausted", "Attempts exhausted"),
                    ("breaker_open", "Breaker open"),
                    ("paced", "Paced"),
                    ("mass_death", "Mass death"),
                    ("bounced", "Bounced"),
                    ("complained", "Complained"),
                    ("no_receipt", "No receipt"),
                ],
                default="",
                max_length=24,
            ),
        ),
        migrations.CreateModel(
            name="AwaitedReceipts",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("due_at", models.DateTimeField()),
                ("delivery_ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
            ],
            options={
                "verbose_name_plural": "awaited receipts",
                "indexes": [models.Index(fields=["due_at"], name="awaited_receipts_due")],
            },
        ),
    ]
