"""The push rate with a full log over the rate with an empty one."""

from benchmarks.context import WARM_UP, Context, Values, rate

#: Old deliveries of today, as like real ones as matters: same columns, same indexes, ids of this very day.
_FILL = """
    INSERT INTO notifications_delivery
           (id, notification_id, recipient_id, device_id, attempt, channel, queue, state, reason, locale, address)
    SELECT (left(stamp, 8) || '-' || substr(stamp, 9, 4) || '-7' || substr(noise, 1, 3) || '-8' || substr(noise, 4, 3)
            || '-' || substr(noise, 7, 12))::uuid,
           notification, gen_random_uuid(), gen_random_uuid(), 1, 'push', 'ios', 'sent', '', 'ko', ''
      FROM (SELECT lpad(to_hex((extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC')) * 1000
                               + (number::numeric / %s) * 1000
                                 * extract(epoch FROM (now() - date_trunc('day', now() AT TIME ZONE 'UTC')
                                                             AT TIME ZONE 'UTC')))::bigint), 12, '0') AS stamp,
                   md5(number::text) AS noise,
                   %s::uuid AS notification
              FROM generate_series(%s, %s) AS number) AS made
"""
_STEP = 500_000


def run(context: Context) -> Values:
    """A campaign on an empty log, then the log is filled, then the same campaign."""
    stage, sizes = context.stage, context.sizes
    context.bring_in("tenth-", sizes.tenth)
    context.empty_log()
    empty = rate(context.send("tenth-", "push", sizes.tenth, "campaign, empty log"))
    (notification,) = stage.rows("SELECT id::text FROM notifications_notification LIMIT 1")[0]
    with context.bar("filling the log", sizes.log_rows) as bar:
        for first in range(0, sizes.log_rows, _STEP):
            last = min(first + _STEP, sizes.log_rows) - 1
            stage.rows(_FILL, sizes.log_rows, notification, first, last)
            bar.at(last + 1)
    # a log that grew for a day is not still being tidied up after
    stage.rows("VACUUM ANALYZE notifications_delivery")
    stage.rows("CHECKPOINT")
    context.send("warm-", "push", WARM_UP, "warming up with a full log")
    full = rate(context.send("tenth-", "push", sizes.tenth, "campaign, full log"))
    return {"log_growth.ratio": full / empty, "log_growth.empty_per_s": empty, "log_growth.full_per_s": full}
