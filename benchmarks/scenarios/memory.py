"""Whether workers grow: their memory after a million deliveries over after the first tenth."""

from typing import Final

from benchmarks.context import Context, Values

#: Those of the first campaign, and not those who joined them for the load.
_PREFIX: Final = "push-0"


def run(context: Context) -> Values:
    """The first work of fresh processes: campaigns to the same people until everything is sent."""
    step, rounds = context.sizes.growth_step, context.sizes.growth // context.sizes.growth_step
    context.bring_in("grow-", step)
    context.send("grow-", "push", step, "first deliveries")
    first = context.sampler.workers_mb()
    for number in range(1, rounds):
        context.send("grow-", "push", step, f"deliveries, round {number + 1} of {rounds}")
    return {"memory.growth": context.sampler.workers_mb() / first}
