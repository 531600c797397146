"""POSTs with a thousand recipients each."""

import threading
import time

from benchmarks.context import Context, Values

_CLIENTS = 4
_TOGETHER = 1_000


def run(context: Context) -> Values:
    """So many requests, by four clients; the deliveries drain afterwards."""
    stage, count = context.stage, context.sizes.batch_requests
    everybody = [f"push-{number:07}" for number in range(context.sizes.campaign)]
    groups = [
        everybody[start : start + _TOGETHER]
        for number in range(count)
        for start in [number * _TOGETHER % (len(everybody) - _TOGETHER + 1)]
    ]
    since = stage.now()
    stage.begin()
    waiting = list(groups)
    done = 0

    def client() -> None:
        nonlocal done
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
            done += len(recipients)

    threads = [threading.Thread(target=client) for _ in range(_CLIENTS)]
    with context.bar("POSTs for 1,000 recipients", count * _TOGETHER) as bar:
        began = time.monotonic()
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            bar.at(done)
            time.sleep(0.1)
        took = time.monotonic() - began
        stage.until_done(count * _TOGETHER, since)
    stage.check(since)
    return {"api_batch.recipients_per_s": count * _TOGETHER / took}
