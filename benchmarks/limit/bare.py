"""The limit: COPY, claim, render, `CurlMulti`, record, in as many bare loops as a campaign has workers."""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg2

from benchmarks.limit import loop
from benchmarks.stage import Stage

_LOOPS: Final = 4
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
    """Deliveries a second."""
    stage.begin()
    stage.rows(_TABLE)
    tasks = [loop.Task(stage.about, number, count // _LOOPS) for number in range(_LOOPS)]
    context = multiprocessing.get_context("spawn")
    began = time.monotonic()
    workers = [context.Process(target=loop.work, args=(task,)) for task in tasks]
    ready = context.Barrier(_LOOPS + 1)
    workers = [context.Process(target=loop.work, args=(task, ready)) for task in tasks]
    for worker in workers:
        worker.start()
    ready.wait(60)
    began = time.monotonic()
    while any(worker.is_alive() for worker in workers):
        progress(_done(stage.about))
        time.sleep(0.3)
    took = time.monotonic() - began
    done = _done(stage.about)
    if any(worker.exitcode for worker in workers) or done != count // _LOOPS * _LOOPS:
        raise RuntimeError(f"the bare loops sent {done} of {count}")
    return done / took


def _done(about: dict[str, Any]) -> int:
    with psycopg2.connect(about["database_url"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bare_delivery WHERE state = 'sent'")
        (done,) = cursor.fetchall()[0]
        return int(done)
