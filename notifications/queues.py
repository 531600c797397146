"""Hints to workers that something is due. Losing one costs seconds, never a message: the sweep hints again."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from celery import current_app
from django.core.cache import cache
from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from notifications.vocabulary import Lane

#: The names under which tasks are published and found.
DISPATCH: Final = "notifications.dispatch"
RECEIVE: Final = "notifications.receive"
SWEEP: Final = "notifications.sweep"
EXPIRE: Final = "notifications.expire"
ESCALATE: Final = "notifications.escalate"
DIGEST: Final = "notifications.digest"
MISSED: Final = "notifications.give_up_receipts"
TALLY: Final = "notifications.tally"
PARTITIONS: Final = "notifications.partitions"
ERASE: Final = "notifications.erase"
WALK: Final = "notifications.walk"

RECEIPTS_QUEUE: Final = "receipts"
PLANNER_QUEUE: Final = "planner"

#: Seconds for which a hint that nobody has taken yet makes others needless.
_HINT_STANDS: Final = 5

#: Seconds for which a worker waits for more receipts once it has taken a hint.
GATHER: Final = 0.1
#: When (monotonic) a hint for a queue stood for sure, as far as this process knows.
_stood: Final[dict[str, float]] = {}

log = structlog.get_logger(__name__)


def hint(lanes: Iterable[Lane]) -> None:
    """Say that something is due in these lanes.

    One untaken hint a lane is enough, however many ask: a worker takes all it can carry. A broker that does not
    answer is no error here, because what is due is in the ledger.
    """
    for lane in lanes:
        _publish(DISPATCH, lane.value, {"lane": lane.value})


def taken(lane: Lane) -> None:
    """A worker is about to look into the lane for the last time: from now on, new work needs a new hint.

    While it is at work nobody needs to hint; under load, a thousand requests publish one.
    """
    _forget(lane.value)


def call_for_help(lane: Lane) -> None:
    """Say that a lane has more than one worker carries at once."""
    _publish(DISPATCH, lane.value, {"lane": lane.value}, standing=f"help:{lane}")


def may_come_back(lane: Lane, seconds: float) -> bool:
    """Whether a task that is to look into `lane` after so many seconds is needed: not if another will by then.

    Where the broker's memory does not answer, it is: two tasks do no harm, and none would cost a sweep's time.
    """
    key, at = f"back:{lane}", time.time() + seconds
    try:
        standing = cache.get(key)
        if standing is not None and time.time() < standing <= at:
            return False
        cache.set(key, at, timeout=seconds + 1)
    except RedisError:
        return True
    return True


def are_hinted(lanes: Sequence[Lane]) -> bool:
    """Whether something was hinted in one of these lanes that no worker has taken up yet."""
    try:
        return bool(lanes and cache.get_many([_standing(lane.value) for lane in lanes]))
    except RedisError:
        return False


def hint_planner() -> None:
    """Say that an audience is to be walked."""
    _publish(WALK, PLANNER_QUEUE, {})


def planner_taken() -> None:
    """A worker has begun to look for audiences."""
    _forget(PLANNER_QUEUE)


def hint_task(task: str, queue: str, *, after: int = 0) -> None:
    """Say that a task of another app, which takes no arguments, has something to do, at once or in so many seconds."""
    _publish(task, queue, {}, standing=_standing(task), after=after)


def task_taken(task: str) -> None:
    """A worker has begun to look: from now on there is need of a new hint."""
    _forget(task)


def hint_receipts() -> None:
    """Say that receipts wait to be applied.

    Where this process knows that a hint stood half of `GATHER` ago, that one serves, and nobody is asked: whoever has
    taken it since is still waiting for more, and only then looks.
    """
    now = time.monotonic()
    if now - _stood.get(RECEIPTS_QUEUE, float("-inf")) > GATHER / 2:
        _publish(RECEIVE, RECEIPTS_QUEUE, {})
        _stood[RECEIPTS_QUEUE] = now


def receipts_taken() -> None:
    """A worker has begun to gather receipts, and will look for `GATHER` seconds later: new ones need a new hint."""
    _forget(RECEIPTS_QUEUE)


def know_nothing() -> None:
    """Ask for every hint anew, as a process that has just begun."""
    _stood.clear()


def messages(names: Iterable[str]) -> Mapping[str, int] | None:
    """How many messages lie in each of these queues, on whatever broker; None where it does not answer."""
    found = {}
    try:
        with current_app.connection_for_read() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
            for name in names:
                found[name] = _lying_in(name, broker)
    except (OperationalError, OSError, RedisError):
        return None
    return found


def _lying_in(name: str, broker: Connection) -> int:
    try:
        channel: Any = broker.default_channel
        return int(channel.queue_declare(queue=name, passive=True).message_count)
    except broker.channel_errors:  # nothing was ever published there, or all of it is taken
        return 0


def _publish(task: str, queue: str, kwargs: dict[str, str], standing: str = "", after: int = 0) -> None:
    try:
        if cache.add(standing or _standing(queue), 1, timeout=_HINT_STANDS):
            current_app.send_task(task, kwargs=kwargs, queue=queue, countdown=after or None)
    except (OperationalError, RedisError) as error:
        log.warning("hint.lost", queue=queue, error=type(error).__name__)


def _forget(queue: str) -> None:
    try:
        cache.delete(_standing(queue))
    except RedisError as error:
        log.warning("hint.not_cleared", queue=queue, error=type(error).__name__)


def _standing(queue: str) -> str:
    return f"hint:{queue}"
