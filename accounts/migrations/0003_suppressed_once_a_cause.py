"""Before the deployment: the version before it writes one row an address, which the wider constraint allows too.

Nothing here locks a table that is in use: indexes are built beside the writing, and a constraint is put upon one.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

#: A build that was cut off leaves an index behind that is of no use.
_LEFT_OVER = "DROP INDEX CONCURRENTLY IF EXISTS suppression_once_a_cause"
_ONCE = """
    CREATE UNIQUE INDEX CONCURRENTLY suppression_once_a_cause
        ON accounts_suppression (address, channel, cause)
"""
_SWAP = """
    ALTER TABLE accounts_suppression
        ADD CONSTRAINT suppression_once_a_cause UNIQUE USING INDEX suppression_once_a_cause,
        DROP CONSTRAINT suppression_once
"""
#: Back again: the oldest cause of an address stays.
_FEWER = """
    DELETE FROM accounts_suppression AS later
     USING accounts_suppression AS first
     WHERE later.address = first.address AND later.channel = first.channel AND later.id > first.id
"""
_BACK = """
    ALTER TABLE accounts_suppression
        ADD CONSTRAINT suppression_once UNIQUE (address, channel),
        DROP CONSTRAINT suppression_once_a_cause
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0002_replies_by_text"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_LEFT_OVER, migrations.RunSQL.noop),
                migrations.RunSQL(_ONCE, migrations.RunSQL.noop),
                migrations.RunSQL(_SWAP, [_FEWER, _BACK]),
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name="suppression", name="suppression_once"),
                migrations.AddConstraint(
                    model_name="suppression",
                    constraint=models.UniqueConstraint(
                        fields=("address", "channel", "cause"),
                        name="suppression_once_a_cause",
                        violation_error_message="This address is suppressed for this cause already.",
                    ),
                ),
            ],
        ),
        AddIndexConcurrently(
            model_name="device",
            index=models.Index(
                condition=models.Q(("retired_at__isnull", True)), fields=["seen_at"], name="device_seen"
            ),
        ),
    ]
