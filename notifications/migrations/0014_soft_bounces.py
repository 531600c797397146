"""Before the deployment: the version before it writes none of the new kind."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0013_events_of_escalation"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="deliveryevent",
            name="delivery_event_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="pendingreceipt",
            name="pending_receipt_kind_known",
        ),
        migrations.AlterField(
            model_name="deliveryevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sent", "Sent"),
                    ("retrying", "Retrying"),
                    ("failed", "Failed"),
                    ("uncertain", "Uncertain"),
                    ("expired", "Expired"),
                    ("cancelled", "Cancelled"),
                    ("suppressed", "Suppressed"),
                    ("replayed", "Replayed"),
                    ("delivered", "Delivered"),
                    ("deferred", "Deferred"),
                    ("bounced", "Bounced"),
                    ("complained", "Complained"),
                    ("opted_out", "Opted out"),
                    ("opened", "Opened"),
                    ("clicked", "Clicked"),
                    ("held", "Held"),
                    ("escalated", "Escalated"),
                    ("blocked", "Blocked"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="pendingreceipt",
            name="kind",
            field=models.CharField(
                choices=[
                    ("delivered", "Delivered"),
                    ("deferred", "Deferred"),
                    ("failed", "Failed"),
                    ("bounced", "Bounced"),
                    ("complained", "Complained"),
                    ("opted_out", "Opted out"),
                    ("opened", "Opened"),
                    ("clicked", "Clicked"),
                    ("blocked", "Blocked"),
                ],
                max_length=10,
            ),
        ),
        AddConstraintNotValid(
            model_name="deliveryevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "sent",
                            "retrying",
                            "failed",
                            "uncertain",
                            "expired",
                            "cancelled",
                            "suppressed",
                            "replayed",
                            "delivered",
                            "deferred",
                            "bounced",
                            "complained",
                            "opted_out",
                            "opened",
                            "clicked",
                            "held",
                            "escalated",
                            "blocked",
                        ],
                    )
                ),
                name="delivery_event_kind_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="pendingreceipt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "delivered",
                            "deferred",
                            "failed",
                            "bounced",
                            "complained",
                            "opted_out",
                            "opened",
                            "clicked",
                            "blocked",
                        ],
                    )
                ),
                name="pending_receipt_kind_known",
            ),
        ),
        ValidateConstraint(model_name="deliveryevent", name="delivery_event_kind_known"),
        ValidateConstraint(model_name="pendingreceipt", name="pending_receipt_kind_known"),
    ]
