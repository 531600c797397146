"""The triggers that note how deliveries stand note by whom they were planned as well. They wait for nobody for longer
than five seconds.
"""
# ruff: noqa: S608 - made of names and words that stand below

from django.db import migrations, models

_WAITING = "('scheduled', 'queued', 'sending', 'retrying')"

_NOBODY = "00000000-0000-0000-0000-000000000000"


def _rows(table: str, change: int) -> str:
    """Each row of a statement as it counts. What waits does so for no reason that is counted."""
    return f"""
        SELECT notifications_hour_of(id) AS hour, notification_id, channel,
               CASE WHEN state IN {_WAITING} THEN 'waiting' ELSE state END AS state,
               CASE WHEN state IN {_WAITING} THEN '' ELSE reason END AS reason,
               {change} AS change
          FROM {table}
         WHERE id >= TG_ARGV[0]::uuid
    """


def _changed(rows: str) -> str:
    return f"""
        WITH changed AS MATERIALIZED (
            SELECT hour, notification_id, channel, state, reason, sum(change) AS change
              FROM ({rows}) AS each
             GROUP BY hour, notification_id, channel, state, reason
            HAVING sum(change) <> 0
        )
    """


_TALLIED = """
        INSERT INTO notifications_tallynote (hour, channel, standing, change)
        SELECT hour, channel, notifications_standing_of(state), sum(change)
          FROM changed
         GROUP BY 1, 2, 3
        HAVING sum(change) <> 0
"""

_NOTED = "INSERT INTO notifications_turnoutnote (hour, version_id, part_of, channel, state, reason, change)"

# Nearly every statement is about one notification, which is looked up once, in its partition alone: where it is looked
# up by a join, all of its partitions are opened, which takes a statement about one delivery longer than the rest of it.
# OFFSET 0 keeps the join from being planned as a scan over all days. One that is gone from the log is counted no more.
_TURNOUTS = f"""
        SELECT notification_id INTO one FROM {{table}} LIMIT 1;
        IF NOT EXISTS (SELECT 1 FROM {{table}} WHERE notification_id <> one) THEN
            SELECT version_id, coalesce(part_of, '{_NOBODY}') INTO version, part
              FROM notifications_notification
             WHERE id = one;
            {{changed}}, tallied AS ({_TALLIED})
            {_NOTED}
            SELECT hour, version, part, channel, state, reason, change
              FROM changed
             WHERE version IS NOT NULL AND hour >= notifications_hour_of(TG_ARGV[1]::uuid);
            RETURN NULL;
        END IF;
        {{changed}}, tallied AS ({_TALLIED}), planned_by AS MATERIALIZED (
            SELECT each.notification_id, version_id, coalesce(part_of, '{_NOBODY}') AS part_of
              FROM (SELECT DISTINCT notification_id FROM {{table}}) AS each
             CROSS JOIN LATERAL (SELECT version_id, part_of
                                   FROM notifications_notification AS notification
                                  WHERE notification.id = each.notification_id
                                 OFFSET 0) AS found
        )
        {_NOTED}
        SELECT hour, version_id, part_of, channel, state, reason, sum(change)
          FROM changed
          JOIN planned_by USING (notification_id)
         WHERE hour >= notifications_hour_of(TG_ARGV[1]::uuid)
         GROUP BY 1, 2, 3, 4, 5, 6
        HAVING sum(change) <> 0;
"""

# a claim, which moves most rows of all, leaves them where they stand
_UNLESS_CLAIMED = f"""
        IF NOT EXISTS (SELECT 1 FROM after WHERE state NOT IN {_WAITING}) THEN
            IF NOT EXISTS (SELECT 1 FROM before WHERE state NOT IN {_WAITING}) THEN
                RETURN NULL;
            END IF;
        END IF;
"""


def _function(name: str, noting: str, before: str = "", declared: str = "") -> str:
    # a plan is made once for a connection: to plan anew takes longer than to look into the right partition
    return f"""
    CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
    {declared}
    BEGIN
        {before}
        {noting}
        RETURN NULL;
    END $$;
    """


def _functions(*, with_turnouts: bool) -> str:
    moved = _rows("after", 1) + "UNION ALL" + _rows("before", -1)
    made = []
    for name, table, rows, before in (
        ("notifications_note_planned", "planned", _rows("planned", 1), ""),
        ("notifications_note_moved", "after", moved, _UNLESS_CLAIMED),
        ("notifications_note_deleted", "before", _rows("before", -1), ""),
    ):
        if with_turnouts:
            noting = _TURNOUTS.format(table=table, changed=_changed(rows))
            made.append(_function(name, noting, before, "DECLARE one uuid; version uuid; part uuid;"))
        else:
            made.append(_function(name, f"{_changed(rows)} {_TALLIED};", before))
    return "".join(made)


# What the first count begins with stands in the triggers themselves: first that of the tallies, then that of turnouts.
_TRIGGERS = """
    DO $$
    DECLARE
        start bigint;
        tallied text;
        first text;
    BEGIN
        SELECT split_part(encode(tgargs, 'escape'), '\\000', 1) INTO tallied
          FROM pg_trigger
         WHERE tgrelid = 'notifications_delivery'::regclass AND tgname = 'notifications_planned';
        IF EXISTS (SELECT 1 FROM notifications_delivery) THEN
            start := extract(epoch FROM date_trunc('hour', clock_timestamp()) + interval '1 hour')::bigint * 1000;
        ELSE
            start := 0;
        END IF;
        first := rpad(lpad(to_hex(start), 12, '0'), 32, '0');
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER notifications_planned AFTER INSERT ON notifications_delivery
             REFERENCING NEW TABLE AS planned FOR EACH STATEMENT
             EXECUTE FUNCTION notifications_note_planned(%L, %L)', tallied, first);
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER notifications_moved AFTER UPDATE ON notifications_delivery
             REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT
             EXECUTE FUNCTION notifications_note_moved(%L, %L)', tallied, first);
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER notifications_deleted AFTER DELETE ON notifications_delivery
             REFERENCING OLD TABLE AS before FOR EACH STATEMENT
             EXECUTE FUNCTION notifications_note_deleted(%L, %L)', tallied, first);
    END $$;
"""

# nobody writes between the new functions and the new triggers
_LOCK = """
    SET LOCAL lock_timeout = '5s';
    LOCK TABLE notifications_delivery IN SHARE ROW EXCLUSIVE MODE;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0022_turnouts_and_reactions")]

    operations = [
        # the triggers keep their second argument, which then says nothing
        migrations.RunSQL(
            _LOCK + _functions(with_turnouts=True) + _TRIGGERS,
            _LOCK + _functions(with_turnouts=False),
        ),
        migrations.AlterField(
            model_name="turnout",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("uncertain", "Uncertain"),
                    ("sent", "Sent"),
                    ("delivered", "Delivered"),
                    ("failed", "Failed"),
                    ("expired", "Expired"),
                    ("cancelled", "Cancelled"),
                    ("suppressed", "Suppressed"),
                ],
                max_length=10,
            ),
        ),
    ]
