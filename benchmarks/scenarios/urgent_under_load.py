"""A critical text message while a campaign of a million runs."""

import time

from benchmarks import charts
from benchmarks.context import Context, Values

_EVERY = 0.1


def run(context: Context) -> Values:
    """Ten critical messages a second; each is timed from its 202 until the provider has it."""
    stage, sizes = context.stage, context.sizes
    background = sizes.urgent_background
    context.bring_in("urgent-", 100, address="phone")
    context.bring_in("crowd-", background)
    context.warm_up()
    since = stage.now()
    stage.begin()
    accepted: dict[str, float] = {}
    connection = stage.connection()
    with context.bar("critical SMS under load", sizes.urgent_messages) as bar:
        stage.campaign("crowd-", "push")
        while not stage.accepted():
            time.sleep(0.05)
        for number in range(sizes.urgent_messages):
            began = time.monotonic()
            told = stage.post(
                {
                    "template": "restock",
                    "recipients": [f"urgent-{number % 100:07}"],
                    "data": {"user_name": "지민", "product_name": "신발"},
                    "channels": ["sms"],
                    "urgency": "critical",
                },
                connection,
            )
            accepted[told["recipients"][0]["deliveries"][0]] = time.time()
            bar.at(number + 1)
            time.sleep(max(0.0, _EVERY - (time.monotonic() - began)))
    with context.bar("the rest of the campaign", background) as bar:
        stage.until_done(background + sizes.urgent_messages, since, progress=bar.at)
    stage.check(since, background + sizes.urgent_messages)
    sent = stage.sent()
    taken = [max(0.0, (sent[delivery].first_at - at) * 1000) for delivery, at in accepted.items()]
    charts.distribution(taken, "Critical SMS during a campaign", context.charts / "urgent_under_load.svg")
    ordered = sorted(taken)
    return {
        "urgent_under_load.p50_ms": ordered[len(ordered) // 2],
        "urgent_under_load.p99_ms": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
    }
