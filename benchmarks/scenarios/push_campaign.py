"""One notification to everybody, beside the same job without a framework and as it is usually written."""

from benchmarks import charts
from benchmarks.context import Context, Values, rate
from benchmarks.limit import bare
from benchmarks.textbook import usual


def run(context: Context) -> Values:
    """The campaign on an empty log, then the two that it is compared with, one after the other."""
    stage, sizes = context.stage, context.sizes
    context.bring_in("push-", sizes.campaign)
    context.empty_log()
    series = context.send("push-", "push", sizes.campaign, "push campaign")
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
    }
