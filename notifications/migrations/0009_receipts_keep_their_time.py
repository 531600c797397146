"""Before the deployment: the version before it leaves the new column to its default."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_receipts_are_awaited"),
    ]

    operations = [
        migrations.AddField(
            model_name="pendingreceipt",
            name="kept_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), help_text="When the provider told."
            ),
        ),
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
                    ("undelivered", "Undelivered"),
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
                    ("undelivered", "Undelivered"),
                    ("complained", "Complained"),
                    ("no_receipt", "No receipt"),
                ],
                default="",
                max_length=24,
            ),
        ),
    ]
