"""A day in small: 10 pushes to 1 text message to 5 emails, all at once."""

import time

from benchmarks import charts
from benchmarks.context import Context, Values, rate

_SHARES = (("mixpush-", "push", "device", 10), ("mixsms-", "sms", "phone", 1), ("mixmail-", "email", "email", 5))


def run(context: Context) -> Values:
    """Three campaigns at the same time, HTML email included."""
    stage, part = context.stage, context.sizes.mixed // 16
    for prefix, _, address, share in _SHARES:
        context.bring_in(prefix, part * share, address=address)
    context.warm_up()
    total = part * 16
    since = stage.now()
    stage.begin()
    with context.bar("mixed day", total) as bar:
        accepted_at = time.time()
        for prefix, channel, _, _ in _SHARES:
            stage.campaign(prefix, channel)
        series = [(accepted_at, 0), *stage.until_done(total, since, progress=bar.at)]
    stage.check(since, total)
    charts.throughput(series, f"Mixed day: {total:,} pushes, SMS and emails", context.charts / "mixed_day.svg")
    return {"mixed_day.deliveries_per_s": rate(series)}
