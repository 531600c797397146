"""Before the deployment: somebody may be on a list that is being read beside the one in force.

The index is built beside the writing. Backwards, whoever is on a list that is not in force is gone.
"""

from django.db import migrations, models

#: A build that was cut off leaves an index behind that is of no use.
_LEFT_OVER = "DROP INDEX CONCURRENTLY IF EXISTS segment_member_once_a_list"
_ONCE = """
    CREATE UNIQUE INDEX CONCURRENTLY segment_member_once_a_list
        ON campaigns_segmentmember (segment_id, recipient_id, list_id)
"""
_SWAP = """
    ALTER TABLE campaigns_segmentmember
        ADD CONSTRAINT segment_member_once_a_list UNIQUE USING INDEX segment_member_once_a_list,
        DROP CONSTRAINT segment_member_once
"""
_IN_FORCE = """
    DELETE FROM campaigns_segmentmember AS member
     USING campaigns_segment AS segment
     WHERE segment.id = member.segment_id AND NOT member.list_id = ANY(segment.lists)
"""
_BACK = """
    ALTER TABLE campaigns_segmentmember
        ADD CONSTRAINT segment_member_once UNIQUE (segment_id, recipient_id),
        DROP CONSTRAINT segment_member_once_a_list
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("campaigns", "0010_uploads")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_LEFT_OVER, migrations.RunSQL.noop),
                migrations.RunSQL(_ONCE, migrations.RunSQL.noop),
                migrations.RunSQL(_SWAP, [_IN_FORCE, _BACK]),
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name="segmentmember", name="segment_member_once"),
                migrations.AddConstraint(
                    model_name="segmentmember",
                    constraint=models.UniqueConstraint(
                        fields=("segment", "recipient", "list_id"), name="segment_member_once_a_list"
                    ),
                ),
            ],
        ),
    ]
