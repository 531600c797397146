"""Before the deployment: the version before it knows no limits, and the new columns are empty."""

import django.core.validators
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0004_before_batches_expire"),
    ]

    operations = [
        migrations.AddField(
            model_name="provideraccount",
            name="at_once",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="At most so many requests under way in one worker; empty for no limit of its own.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="requests at once",
            ),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="messages_per_s",
            field=models.FloatField(
                blank=True,
                help_text="At most so many messages a second, all workers together; empty for no limit.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0.01)],
            ),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="segments_per_s",
            field=models.FloatField(
                blank=True,
                help_text="At most so many parts of text messages a second, as carriers count them; empty for no limit.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0.01)],
                verbose_name="SMS segments per second",
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
                    ("complained", "Complained"),
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
                ],
                default="",
                max_length=24,
            ),
        ),
        AddConstraintNotValid(
            model_name="provideraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("messages_per_s__isnull", True), ("messages_per_s__gt", 0), _connector="OR"),
                    models.Q(("segments_per_s__isnull", True), ("segments_per_s__gt", 0), _connector="OR"),
                    models.Q(("at_once__isnull", True), ("at_once__gt", 0), _connector="OR"),
                ),
                name="provider_account_limits_positive",
            ),
        ),
        ValidateConstraint(model_name="provideraccount", name="provider_account_limits_positive"),
    ]
