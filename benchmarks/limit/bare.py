"""The limit: COPY, claim, render, `CurlMulti`, record, in bare loops, as many as two cores carry."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from typing import Final

from benchmarks.limit import loop
from benchmarks.stage import Stage, Void

#: A bare loop waits for its batch's answers before it takes the next, so more of them than a campaign has workers.
_LOOPS: Final = 4
#: Seconds between two looks at the providers' counts; the log is left alone.
_GLANCE: Final = 0.3
_TABLE: Final = """
    DROP TABLE IF EXISTS bare_delivery, bare_event;
    CREATE TABLE bare_delivery (
        id uuid PRIMARY KEY, notification_id uuid NOT NULL, recipient_id uuid, state text NOT NULL,
        attempt smallint NOT NULL DEFAULT 0, token text NOT NULL
    ) WITH (fillfactor = 60);
    CREATE INDEX ON bare_delivery (notification_id);
    CREATE INDEX ON bare_delivery (recipient_id);
    CREATE TABLE bare_event (id uuid PRIMARY KEY, delivery_id uuid NOT NULL, kind text NOT NULL, ref text NOT NULL);
    CREATE INDEX ON bare_event (delivery_id);
"""


def run(stage: Stage, count: int, progress: Callable[[int], None]) -> float:
    """Deliveries a second, from when every loop is warm until the last of them has recorded; raises `Void`."""
    stage.begin()
    stage.rows(_TABLE)
    tasks = [loop.Task(stage.about, number, count // _LOOPS) for number in range(_LOOPS)]
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(_LOOPS + 1)
    ended_at: Queue[float] = context.Queue()
    workers = [context.Process(target=loop.work, args=(task, ready, ended_at)) for task in tasks]
    for worker in workers:
        worker.start()
    ready.wait(60)
    began = time.monotonic()
    while any(worker.is_alive() for worker in workers):
        progress(stage.accepted())
        time.sleep(_GLANCE)
    if any(worker.exitcode for worker in workers):
        raise Void(f"bare loops ended with {[worker.exitcode for worker in workers]}")
    ends = [ended_at.get(timeout=10) for _ in workers]
    stage.compare({row[0] for row in stage.rows("SELECT id::text FROM bare_delivery WHERE state = 'sent'")})
    return count // _LOOPS * _LOOPS / (max(ends) - began)
