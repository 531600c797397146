"""How accounts that share a position of a route have been doing, and what that makes of their weights.

Workers count answers in Redis, in slots of five seconds: one pipelined call for a few hundred answers. Every few
seconds one of all workers judges the last half minute (`planning/drift.py`) and writes down what each weight is
multiplied by; it logs every change with its reason, and keeps the latest for the admin. If Redis does not answer, the
weights are what operators wrote.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from notifications.breakers import key_of
from notifications.planning.drift import PERIOD, WINDOW, Drift, Sample, drifted, resting
from notifications.redis_client import client

log = structlog.get_logger(__name__)

#: Accounts whose weights are not what was written, by what they are multiplied.
_FACTORS: Final = "drift:factors"
#: When that was last judged, epoch seconds.
_JUDGED: Final = "drift:judged"
_TURN: Final = "drift:turn"
_CHANGES: Final = "drift:changes"
#: Changes that are kept.
_KEPT: Final = 500
#: Seconds for which an answer is kept.
_REMEMBERED: Final = 2 * WINDOW


@dataclass(frozen=True, slots=True)
class Answers:
    """What is to be counted of an account's answers; `times` as in `Sample`."""

    good: int = 0
    bad: int = 0
    times: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Change:
    """A weight that was changed, by itself, and why."""

    at: datetime
    account: str
    before: float
    after: float
    why: str


Rivals = Mapping[str, frozenset[str]]


def saw(answers: Mapping[str, Answers], rivals: Rivals) -> None:
    """Count answers, by account; and judge, if it is time and no other worker does."""
    try:
        pipe = client().pipeline(transaction=False)
        slot = int(time.time()) // PERIOD
        for account, counted in answers.items():
            key = _slot(account, slot)
            for name, many in _fields(counted):
                pipe.hincrby(key, name, many)
            pipe.expire(key, _REMEMBERED)
        pipe.set(_TURN, 1, nx=True, ex=PERIOD)
        if pipe.execute()[-1]:
            _judge(rivals)
    except RedisError as error:
        log.warning("drift.unwritten", error=type(error).__name__)


def judge(rivals: Rivals) -> None:
    """Judge, if it is time: for accounts that nobody sends to, whose weights come back as well."""
    try:
        if rivals and client().set(_TURN, 1, nx=True, ex=PERIOD):
            _judge(rivals)
    except RedisError as error:
        log.warning("drift.unwritten", error=type(error).__name__)


def factors() -> Mapping[str, float]:
    """By what the weights of accounts are multiplied at present; those that are not named, by 1."""
    try:
        found: Mapping[Any, Any] = client().hgetall(_FACTORS)
    except RedisError as error:
        log.warning("drift.unread", error=type(error).__name__)
        return {}
    return {account.decode(): float(factor) for account, factor in found.items()}


def changes(accounts: Iterable[str], *, at_most: int = 20) -> Sequence[Change]:
    """The latest changes of these accounts' weights, the latest first."""
    wanted = set(accounts)
    try:
        kept: Any = client().xrevrange(_CHANGES, count=_KEPT)
    except RedisError as error:
        log.warning("drift.unread", error=type(error).__name__)
        return []
    found = [_change(*one) for one in kept]
    return [change for change in found if change.account in wanted][:at_most]


def _judge(rivals: Rivals) -> None:
    """Write down what every account's weight is multiplied by from now on.

    1. Read the slots of the window, the open breakers and what was found the last time, in one round trip.
    2. Judge each account beside its peers.
    3. Write and log what changed, in another.
    """
    now, accounts = time.time(), sorted(rivals)
    slots = range(int(now) // PERIOD - WINDOW // PERIOD + 1, int(now) // PERIOD + 1)
    pipe = client().pipeline(transaction=False)
    pipe.hgetall(_FACTORS)
    pipe.get(_JUDGED)
    pipe.set(_JUDGED, now)
    for account in accounts:
        pipe.exists(key_of(account))
        for slot in slots:
            pipe.hgetall(_slot(account, slot))
    known, judged, _, *read = pipe.execute()
    before = {account.decode(): float(factor) for account, factor in known.items()}
    periods = (now - float(judged)) / PERIOD if judged else 1.0
    each = len(slots) + 1
    is_open = {account: bool(read[place * each]) for place, account in enumerate(accounts)}
    samples = {account: _sample(read[place * each + 1 : (place + 1) * each]) for place, account in enumerate(accounts)}
    after: dict[str, Drift] = {}
    for account in accounts:
        factor = before.get(account, 1.0)
        peers = [samples[peer] for peer in rivals[account] if not is_open[peer]]
        drift = drifted(factor, samples[account], peers, periods)
        after[account] = resting(factor) if is_open[account] else drift
    _write(before, after)


def _write(before: Mapping[str, float], after: Mapping[str, Drift]) -> None:
    pipe = client().pipeline(transaction=False)
    for account, drift in after.items():
        was = before.get(account, 1.0)
        if drift.factor == was:
            continue
        tell = log.warning if drift.factor < was else log.info
        tell("weight.changed", account=account, before=was, after=drift.factor, why=drift.why)
        if drift.factor < 1.0:
            pipe.hset(_FACTORS, account, str(drift.factor))
        else:
            pipe.hdel(_FACTORS, account)
        told = {"account": account, "before": was, "after": drift.factor, "why": drift.why}
        pipe.xadd(_CHANGES, {"change": json.dumps(told)}, maxlen=_KEPT, approximate=True)
    gone = before.keys() - after.keys()  # they stand alone at their positions by now
    if gone:
        pipe.hdel(_FACTORS, *gone)
    pipe.execute()


def _sample(slots: Iterable[Mapping[bytes, bytes]]) -> Sample:
    total: Counter[str] = Counter()
    for slot in slots:
        total.update({name.decode(): int(many) for name, many in slot.items()})
    good, bad = total.pop("good", 0), total.pop("bad", 0)
    return Sample(good, bad, {int(bound): many for bound, many in total.items()})


def _fields(answers: Answers) -> Iterable[tuple[str, int]]:
    named = [("good", answers.good), ("bad", answers.bad)]
    timed = [(str(bound), many) for bound, many in answers.times.items()]
    return [(name, many) for name, many in named + timed if many]


def _change(entry: bytes, fields: Mapping[bytes, bytes]) -> Change:
    """A change out of the stream, whose entries are named by their milliseconds."""
    at = datetime.fromtimestamp(int(entry.partition(b"-")[0]) / 1000, tz=UTC)
    return Change(at, **json.loads(fields[b"change"]))


def _slot(account: str, slot: int) -> str:
    return f"drift:{account}:{slot}"
