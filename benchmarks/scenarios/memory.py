"""Whether workers grow: their memory after a million deliveries over after the first tenth."""

from typing import Final

from benchmarks.context import Context, Values

#: Those of the first campaign, and not those who joined them for the load.
_PREFIX: Final = "push-0"


def run(context: Context) -> Values:
    """The first work of fresh processes: campaigns to the same people until everything is sent."""
    step, rounds = context.sizes.tenth, context.sizes.growth // context.sizes.tenth
    context.bring_in("tenth-", step)
    context.send("tenth-", "push", step, "first deliveries")
    first = context.sampler.workers_mb()
    for number in range(1, rounds):
        context.send("tenth-", "push", step, f"deliveries, round {number + 1} of {rounds}")
    return {"memory.growth": context.sampler.workers_mb() / first}
