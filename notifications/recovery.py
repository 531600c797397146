"""What was due and forgotten, what hangs, what ran out: the ledger is the truth, and this is who reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from accounts import soft_bounces, suppressions
from notifications import drifting, queues
from notifications.ledger import audiences, awaited, overdue, partitions, spending, sweep, tally, turnouts
from notifications.ledger import replay as ledger_replay
from notifications.ledger.replay import Choice
from notifications.liveness import signing
from notifications.meters import metered
from notifications.routes import routes
from notifications.stopping import stopping
from notifications.vocabulary import Reason

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found: lanes with something due, and leases that ran out."""

    lanes: int
    reclaimed: sweep.Reclaimed


def sweep_up(*, clock: Callable[[], datetime]) -> Swept:
    """Hint every lane in which something is due, whatever became of its hint, and settle what hangs.

    Empty the broker at any moment, and this finds everything again within seconds. Weights that drifted away come back
    by this, too, where nothing is sent.
    """
    at = clock()
    reclaimed = sweep.reclaim(at)
    if reclaimed != sweep.Reclaimed():
        log.warning("lease.ran_out", requeued=reclaimed.requeued, resent=reclaimed.resent, held=reclaimed.held)
    depths = sweep.depths(at)
    signing.saw({depth.lane.value: (at - depth.oldest).total_seconds() for depth in depths})
    due = [depth.lane for depth in depths]
    queues.hint(due)
    queues.hint_receipts()
    if audiences.are_open(at):
        queues.hint_planner()
    routes.refresh()
    drifting.judge(routes.rivals)
    return Swept(len(due), reclaimed)


def expire(*, clock: Callable[[], datetime]) -> int:
    """End every delivery that waits past its use, whoever should have claimed it; says how many.

    A worker does so too, for what it claims. This is for lanes without a worker, and accounts whose breaker stays open.
    """
    total = 0
    while not stopping.is_wished():
        signing.moved()
        with metered() as meters:
            done = overdue.expire(clock())
            for queue in done.expired:
                meters.count("expired", queue, "", Reason.EXPIRED)
        total += len(done.expired)
        if not done.batches:
            break
    return total


def give_up_receipts(*, clock: Callable[[], datetime]) -> int:
    """Stop waiting for receipts that are overdue; says of how many deliveries.

    They stay sent, with a reason that says so. Many of them at once mean a webhook that is set up wrongly.
    """
    total = 0
    while not stopping.is_wished():
        signing.moved()
        with metered() as meters:
            queues_of_them = awaited.give_up(clock())
            for queue in queues_of_them or ():
                meters.count("receipts_missed", queue)
        if queues_of_them is None:
            break
        total += len(queues_of_them)
    if total:
        log.warning("receipts.missed", deliveries=total)
    return total


def replay(choice: Choice, *, clock: Callable[[], datetime]) -> int:
    """Try dead letters again, a thousand in a transaction, until none that was chosen is left; how many."""
    total = 0
    while True:
        done = ledger_replay.replay(choice, clock())
        queues.hint(done.lanes)
        total += done.again
        if not done.taken:
            return total


def keep_tally() -> int:
    """Add what was noted of the log to the counts and sums, until none is left; says how many notes there were."""
    done = 0
    for fold in (tally.fold, turnouts.fold, spending.fold):
        folded = tally.TOGETHER
        while folded == tally.TOGETHER:
            folded = fold()
            done += folded
    return done


def keep_partitions(*, clock: Callable[[], datetime]) -> partitions.Upkeep:
    """Make the log's next days, drop its oldest, and forget old answers: to idempotency keys, and of people."""
    at = clock()
    done = partitions.keep_up(at.date(), ahead=settings.PARTITION_DAYS_AHEAD, retention=settings.RETENTION_DAYS)
    sweep.forget_answers(at - timedelta(hours=settings.IDEMPOTENCY_HOURS))
    suppressions.forget_replies(at - timedelta(days=settings.RETENTION_DAYS))
    soft_bounces.forget(at)
    for forget in (tally.forget, turnouts.forget, spending.forget):
        forget(at - timedelta(days=settings.RETENTION_DAYS + 1))
    if done.stray:
        log.error("partition.stray_rows", rows=done.stray)
    log.info("partition.upkeep", made=done.made, dropped=done.dropped)
    return done
