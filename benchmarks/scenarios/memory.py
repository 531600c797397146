"""Whether workers grow: their memory after a million deliveries over after the first tenth."""

from benchmarks.context import Context, Values


def run(context: Context) -> Values:
    """Campaigns to the same people until a million is sent; quick runs only look at the peak."""
    size, total = context.sizes.campaign, context.sizes.growth
    context.send("push-", "push", size, "first deliveries")
    first = context.sampler.workers_mb()
    for number in range(1, total // size):
        context.send("push-", "push", size, f"deliveries, round {number + 1} of {total // size}")
    if not total:
        context.send("push-", "push", size, "deliveries, round 2 of 2")
    return {"memory.growth": context.sampler.workers_mb() / first}
