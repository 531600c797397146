"""Disk for one sent push: its delivery and its event, with their indexes."""

from benchmarks.context import Context, Values

_SIZE = """
    SELECT sum(pg_total_relation_size(inhrelid))
      FROM pg_inherits
     WHERE inhparent IN ('notifications_delivery'::regclass, 'notifications_deliveryevent'::regclass)
"""


def run(context: Context) -> Values:
    """What a campaign adds to an empty log, in which no space of deleted rows can hide it."""
    count = context.sizes.tenth
    context.bring_in("tenth-", count)
    context.empty_log()
    before = context.stage.rows(_SIZE)[0][0]
    context.send("tenth-", "push", count, "campaign, its bytes")
    return {"bytes_per_delivery": float(context.stage.rows(_SIZE)[0][0] - before) / count}
