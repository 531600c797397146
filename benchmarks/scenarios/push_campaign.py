"""One notification to everybody, beside the same job without a framework and as it is usually written."""

from benchmarks import charts, people
from benchmarks.context import Context, Values, rate
from benchmarks.limit import bare
from benchmarks.textbook import usual

_WARM_UP = 2_000


def run(context: Context) -> Values:
    """Warm up, then the campaign; its bytes on disk; then the two that it is compared with."""
    stage, sizes = context.stage, context.sizes
    people.bring_in(stage, "warm-", _WARM_UP, address="device")
    people.bring_in(stage, "push-", sizes.campaign, address="device")
    context.send("warm-", "push", _WARM_UP, "warming up")
    before = _log_size(context)
    series = context.send("push-", "push", sizes.campaign, "push campaign")
    size = (_log_size(context) - before) / sizes.campaign
    charts.throughput(series, f"Push campaign of {sizes.campaign:,}", context.charts / "push_campaign.svg")
    ours = rate(series)
    with context.bar("the same, a bare loop", sizes.limit) as bar:
        limit = bare.run(stage, sizes.limit, bar.at)
    with context.bar("the same, as usually written", sizes.textbook) as bar:
        textbook = usual.run(stage, sizes.textbook, bar.at)
    return {
        "push_campaign.deliveries_per_s": ours,
        "push_campaign.ratio_limit": ours / limit,
        "push_campaign.ratio_textbook": ours / textbook,
        "push_campaign.limit_per_s": limit,
        "push_campaign.textbook_per_s": textbook,
        "bytes_per_delivery": size,
    }


def _log_size(context: Context) -> float:
    """Bytes of deliveries and events, with their indexes."""
    found = context.stage.rows(
        "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
        "WHERE inhparent IN ('notifications_delivery'::regclass, 'notifications_deliveryevent'::regclass)"
    )
    return float(found[0][0])
