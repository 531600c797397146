"""Triggers that note what every statement changes. They wait for nobody for longer than five seconds."""

from django.db import migrations

FUNCTIONS = """
    SET LOCAL lock_timeout = '5s';

    -- the hour in which an id was made: the first 48 bits of a UUIDv7 are milliseconds
    CREATE FUNCTION notifications_hour_of(id uuid) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT to_timestamp(
            ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 3600000 * 3600
        )
    $$;

    CREATE FUNCTION notifications_standing_of(state text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE
            WHEN state IN ('scheduled', 'queued', 'sending', 'retrying') THEN 'waiting'
            WHEN state IN ('sent', 'uncertain') THEN 'sent'
            WHEN state IN ('failed', 'expired', 'cancelled') THEN 'failed'
            ELSE state
        END
    $$;

    CREATE FUNCTION notifications_note_planned() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO notifications_tallynote (hour, channel, standing, change)
        SELECT notifications_hour_of(id), channel, notifications_standing_of(state), count(*)
          FROM planned
         WHERE id >= TG_ARGV[0]::uuid
         GROUP BY 1, 2, 3;
        RETURN NULL;
    END $$;

    CREATE FUNCTION notifications_note_moved() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- a claim, which moves most rows of all, leaves them where they stand
        IF NOT EXISTS (SELECT 1 FROM after WHERE state NOT IN ('scheduled', 'queued', 'sending', 'retrying')) THEN
            IF NOT EXISTS (SELECT 1 FROM before WHERE state NOT IN ('scheduled', 'queued', 'sending', 'retrying')) THEN
                RETURN NULL;
            END IF;
        END IF;
        INSERT INTO notifications_tallynote (hour, channel, standing, change)
        SELECT hour, channel, standing, sum(change)
          FROM (SELECT notifications_hour_of(id) AS hour, channel, notifications_standing_of(state) AS standing,
                       1 AS change
                  FROM after
                 WHERE id >= TG_ARGV[0]::uuid
                 UNION ALL
                SELECT notifications_hour_of(id), channel, notifications_standing_of(state), -1
                  FROM before
                 WHERE id >= TG_ARGV[0]::uuid) AS moved
         GROUP BY hour, channel, standing
        HAVING sum(change) <> 0;
        RETURN NULL;
    END $$;

    CREATE FUNCTION notifications_note_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO notifications_tallynote (hour, channel, standing, change)
        SELECT notifications_hour_of(id), channel, notifications_standing_of(state), -count(*)
          FROM before
         WHERE id >= TG_ARGV[0]::uuid
         GROUP BY 1, 2, 3;
        RETURN NULL;
    END $$;

    -- what the first count begins with stands in the triggers themselves
    DO $$
    DECLARE
        start bigint;
        first text;
    BEGIN
        LOCK TABLE notifications_delivery IN SHARE ROW EXCLUSIVE MODE;
        IF EXISTS (SELECT 1 FROM notifications_delivery) THEN
            start := extract(epoch FROM date_trunc('hour', clock_timestamp()) + interval '1 hour')::bigint * 1000;
        ELSE
            start := 0;
        END IF;
        first := rpad(lpad(to_hex(start), 12, '0'), 32, '0');
        EXECUTE format(
            'CREATE TRIGGER notifications_planned AFTER INSERT ON notifications_delivery
             REFERENCING NEW TABLE AS planned FOR EACH STATEMENT
             EXECUTE FUNCTION notifications_note_planned(%L)', first);
        EXECUTE format(
            'CREATE TRIGGER notifications_moved AFTER UPDATE ON notifications_delivery
             REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT
             EXECUTE FUNCTION notifications_note_moved(%L)', first);
        EXECUTE format(
            'CREATE TRIGGER notifications_deleted AFTER DELETE ON notifications_delivery
             REFERENCING OLD TABLE AS before FOR EACH STATEMENT
             EXECUTE FUNCTION notifications_note_deleted(%L)', first);
    END $$;
"""

GONE = """
    SET LOCAL lock_timeout = '5s';
    DROP TRIGGER notifications_planned ON notifications_delivery;
    DROP TRIGGER notifications_moved ON notifications_delivery;
    DROP TRIGGER notifications_deleted ON notifications_delivery;
    DROP FUNCTION notifications_note_planned();
    DROP FUNCTION notifications_note_moved();
    DROP FUNCTION notifications_note_deleted();
    DROP FUNCTION notifications_hour_of(uuid);
    DROP FUNCTION notifications_standing_of(text);
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0020_tallies")]

    operations = [migrations.RunSQL(FUNCTIONS, GONE)]
