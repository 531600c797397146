"""POSTs with a thousand recipients each."""

import time

from benchmarks import clients
from benchmarks.context import Context, Values

_CLIENTS = 4
_TOGETHER = 1_000


def run(context: Context) -> Values:
    """So many requests, by four clients; the deliveries drain afterwards."""
    stage, total = context.stage, context.sizes.batch_requests * _TOGETHER
    context.bring_in("push-", context.sizes.campaign)
    context.warm_up()
    waiting = _groups(context.sizes.campaign, context.sizes.batch_requests)
    since = stage.now()
    stage.begin()

    def client(_number: int) -> None:
        connection = stage.connection()
        while True:
            try:
                recipients = waiting.pop()
            except IndexError:
                return
            body = {
                "template": "restock",
                "recipients": recipients,
                "data": {"user_name": "지민", "product_name": "신발"},
                "channels": ["push"],
                "urgency": "bulk",
            }
            stage.post(body, connection)

    with context.bar("POSTs for 1,000 recipients", total) as bar:
        began = time.monotonic()
        clients.together(_CLIENTS, client, lambda: bar.at(total - len(waiting) * _TOGETHER))
        took = time.monotonic() - began
        stage.until_done(total, since)
    stage.check(since, total)
    return {"api_batch.recipients_per_s": total / took}


def _groups(people: int, count: int) -> list[list[str]]:
    everybody = [f"push-{number:07}" for number in range(people)]
    starts = (number * _TOGETHER % (people - _TOGETHER + 1) for number in range(count))
    return [everybody[start : start + _TOGETHER] for start in starts]
