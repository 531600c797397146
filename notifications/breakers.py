"""Circuit breakers: an account that fails is left alone for a while, by all workers, then tried with a few messages.

What a worker saw lately stays in its memory; that a breaker is open stands in Redis, for everybody. If Redis does not
answer, every breaker counts as closed: sending too much to a broken provider is better than not sending.
"""

import json
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog
from redis.exceptions import RedisError

from notifications.redis_client import client

log = structlog.get_logger(__name__)

#: Seconds of answers that are looked at together.
WINDOW: Final = 10.0
#: Failures that open a breaker, when they are also at least this share of the answers.
ENOUGH: Final = 20
SHARE: Final = 0.5
#: Seconds for which a breaker stays open: the first time, and at most. Each failed probe doubles it.
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 60.0
#: Messages with which an account is tried after the pause, and seconds within which they must be answered.
PROBES: Final = 5
_PROBE_TIME: Final = 15
_REMEMBERED: Final = 3600


class Gate(StrEnum):
    """What an account may be sent."""

    CLOSED = "closed"  # the breaker is closed: everything
    HALF_OPEN = "half_open"  # a few messages, to see whether it works again
    OPEN = "open"  # nothing


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be sent now; `until` (epoch seconds) is when to ask again where that is nothing."""

    gate: Gate
    until: float = 0.0


class Breakers:
    """The breakers of all accounts, as one process sees them."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[tuple[float, int, int]]] = {}
        #: Accounts whose breakers were not closed when this process last asked: their answers are a probe's.
        self._tried: set[str] = set()
        #: Counts up whenever this process opens one.
        self.changes = 0

    def permission(self, account: str) -> Permission:
        """Whether `account` may be sent to. Of many who ask after the pause, one gets to try."""
        try:
            known = client().get(_key(account))
            if known is None:
                self._tried.discard(account)
                return Permission(Gate.CLOSED)
            self._tried.add(account)
            if rest := _rest(known):
                return Permission(Gate.OPEN, time.time() + rest)
            if client().set(_probe_key(account), 1, nx=True, ex=_PROBE_TIME):
                return Permission(Gate.HALF_OPEN)
            return Permission(Gate.OPEN, time.time() + 1)
        except RedisError as error:
            log.warning("breaker.unread", account=account, error=type(error).__name__)
            return Permission(Gate.CLOSED)

    def saw(self, account: str, *, good: int, bad: int) -> None:
        """Note answers: a breaker opens on too many failures, and closes on the first success after its pause."""
        now = time.monotonic()
        answers = self._answers.setdefault(account, deque())
        answers.append((now, good, bad))
        while answers[0][0] < now - WINDOW:
            answers.popleft()
        goods, bads = sum(one[1] for one in answers), sum(one[2] for one in answers)
        try:
            known = client().get(_key(account)) if bad or account in self._tried else None
            if known is not None:
                self._judge_probe(account, known, good=good, bad=bad)
            elif bads >= ENOUGH and bads >= SHARE * (goods + bads):
                self.open(account, f"{bads} of {goods + bads} answers in {WINDOW:.0f} s were failures")
        except RedisError as error:
            log.warning("breaker.unwritten", account=account, error=type(error).__name__)

    def is_closed(self, account: str) -> bool:
        """Whether nothing speaks against `account`, as far as all workers know."""
        try:
            return client().get(_key(account)) is None
        except RedisError as error:
            log.warning("breaker.unread", account=account, error=type(error).__name__)
            return True

    def distrust(self, account: str, why: str, bad: int) -> None:
        """So many answers cannot be true: open the breaker, or judge the probe that they were."""
        if self.is_closed(account):
            self.open(account, why)
        else:
            self.saw(account, good=0, bad=bad)

    def open(self, account: str, why: str, *, strikes: int = 1) -> None:
        """Send nothing to `account` for a while."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (strikes - 1))
        self._answers.pop(account, None)
        self.changes += 1
        log.error("breaker.opened", account=account, why=why, seconds=pause)
        try:
            client().set(_key(account), json.dumps({"until": time.time() + pause, "strikes": strikes}), ex=_REMEMBERED)
            client().delete(_probe_key(account))
        except RedisError as error:
            log.warning("breaker.unwritten", account=account, error=type(error).__name__)

    def _judge_probe(self, account: str, known: bytes | str, *, good: int, bad: int) -> None:
        if _rest(known):
            return  # answers to what was under way when it opened
        if good and not bad:
            client().delete(_key(account), _probe_key(account))
            self._answers.pop(account, None)
            log.info("breaker.closed", account=account)
        elif bad:
            self.open(account, "it failed again when it was tried", strikes=int(json.loads(known)["strikes"]) + 1)


def opened() -> dict[str, float]:
    """The accounts whose breakers are not closed, and for how many seconds they are still left alone."""
    try:
        names = [key.decode().removeprefix(_PREFIX) for key in client().scan_iter(f"{_PREFIX}*")]
        found = [(name, client().get(_key(name))) for name in names]
    except RedisError:
        return {}
    return {name: _rest(known) for name, known in found if known}


_PREFIX: Final = "breaker:"


def _rest(known: bytes | str) -> float:
    """For how many seconds an account is still left alone; more than the longest pause means a clock set back."""
    left = float(json.loads(known)["until"]) - time.time()
    return left if 0 < left <= LONGEST_PAUSE else 0.0


def _key(account: str) -> str:
    return f"{_PREFIX}{account}"


def _probe_key(account: str) -> str:
    return f"probe:{account}"


breakers: Final = Breakers()
