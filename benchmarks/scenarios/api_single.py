"""Many clients, each POST for one person."""

import time
from collections.abc import Callable

from benchmarks import charts, clients
from benchmarks.context import Bar, Context, Values
from benchmarks.stage import Stage

_CLIENTS = 32


def run(context: Context) -> Values:
    """As fast as 32 clients can, then at half that rate."""
    stage, seconds = context.stage, context.sizes.single_seconds
    context.warm_up()
    since = stage.now()
    stage.begin()
    with context.bar("POSTs as fast as possible", 0) as bar:
        taken = _clients(stage, seconds, interval=0.0, bar=bar)
    ended_at = time.time()
    drained = stage.until_done(len(taken), since)
    stage.check(since, len(taken))
    per_second = len(taken) / seconds

    since = stage.now()
    stage.begin()
    with context.bar("POSTs at half that rate", 0) as bar:
        calm = _clients(stage, seconds, interval=_CLIENTS / (per_second / 2), bar=bar)
    stage.until_done(len(calm), since)
    stage.check(since, len(calm))
    charts.distribution(calm, "POST for one recipient, at half the highest rate", context.charts / "api_single.svg")
    return {
        "api_single.requests_per_s": per_second,
        "api_single.drain_s": max(0.0, drained[-1][0] - ended_at),
        "api_single.p50_ms": sorted(calm)[len(calm) // 2],
        "api_single.p99_ms": sorted(calm)[int(len(calm) * 0.99)],
    }


def _clients(stage: Stage, seconds: float, *, interval: float, bar: Bar) -> list[float]:
    """How long each POST took, in milliseconds. With an interval, each client starts one every so many seconds."""
    taken: list[float] = []
    ends_at = time.monotonic() + seconds
    clients.together(
        _CLIENTS,
        lambda number: _client(stage, number, ends_at, interval, taken.append),
        lambda: bar.at(len(taken)),
    )
    return taken


def _client(stage: Stage, number: int, ends_at: float, interval: float, note: Callable[[float], None]) -> None:
    connection = stage.connection()
    body = {
        "template": "restock",
        "recipients": [f"warm-{number:07}"],
        "data": {"user_name": "지민", "product_name": "신발"},
        "channels": ["push"],
    }
    due = time.monotonic() + interval * number / _CLIENTS
    while time.monotonic() < ends_at:
        if interval:
            time.sleep(max(0.0, due - time.monotonic()))
        # counted from when it was due, so that a slow answer does not hide the ones behind it
        began = due if interval else time.monotonic()
        stage.post(body, connection)
        note((time.monotonic() - began) * 1000)
        due += interval
