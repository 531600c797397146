"""Circuit breakers: an account that fails is left alone for a while, by all workers, then tried with a few messages.

What a worker saw lately stays in its memory; that a breaker is open stands in Redis, for everybody. If Redis does not
answer, every breaker counts as closed: sending too much to a broken provider is better than not sending.
"""

import json
import time
from collections import deque
from collections.abc import Sequence
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
#: Likewise where the balance is used up, which takes somebody to mend.
FIRST_REST: Final = 120.0
LONGEST_REST: Final = 600.0
#: Messages with which an account is tried after the pause, and seconds within which they must be answered.
PROBES: Final = 5
_PROBE_TIME: Final = 15
_REMEMBERED: Final = 3600
#: Seconds for which is believed that a breaker is open, or closed, where it is only asked about.
_BELIEVED: Final = 1.0


class Gate(StrEnum):
    """What an account may be sent."""

    CLOSED = "closed"  # the breaker is closed: everything
    HALF_OPEN = "half_open"  # a few messages, to see whether it works again
    OPEN = "open"  # nothing


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be sent now. Where that is nothing: `until` (epoch seconds) when to ask again, and `why`."""

    gate: Gate
    until: float = 0.0
    why: str = ""


class Breakers:
    """The breakers of all accounts, as one process sees them."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[tuple[float, int, int]]] = {}
        #: Accounts whose breakers were not closed when this process last asked: their answers are a probe's.
        self._tried: set[str] = set()
        #: Whether a breaker was open, and when that was asked.
        self._glimpsed: dict[str, tuple[float, bool]] = {}
        #: Counts up whenever this process opens one.
        self.changes = 0

    def permission(self, account: str) -> Permission:
        """Whether `account` may be sent to. Of many who ask after the pause, one gets to try."""
        try:
            known = client().get(key_of(account))
            if known is None:
                self._tried.discard(account)
                return Permission(Gate.CLOSED)
            self._tried.add(account)
            why = _why(known)
            if rest := _rest(known):
                return Permission(Gate.OPEN, time.time() + rest, why)
            if client().set(_probe_key(account), 1, nx=True, ex=_PROBE_TIME):
                return Permission(Gate.HALF_OPEN, why=why)
            return Permission(Gate.OPEN, time.time() + 1, why)
        except RedisError as error:
            log.warning("breaker.unread", account=account, error=type(error).__name__)
            return Permission(Gate.CLOSED)

    def is_open(self, account: str) -> bool:
        """Whether nothing may be sent to `account` at present, for somebody who is not about to send."""
        now = time.monotonic()
        asked_at, was_open = self._glimpsed.get(account, (float("-inf"), False))
        if now - asked_at > _BELIEVED:
            was_open = not self.is_closed(account)
            self._glimpsed[account] = now, was_open
        return was_open

    def saw(self, account: str, *, good: int, bad: int) -> None:
        """Note answers: a breaker opens on too many failures, and closes on the first success after its pause."""
        now = time.monotonic()
        answers = self._answers.setdefault(account, deque())
        answers.append((now, good, bad))
        while answers[0][0] < now - WINDOW:
            answers.popleft()
        goods, bads = sum(one[1] for one in answers), sum(one[2] for one in answers)
        try:
            known = client().get(key_of(account)) if bad or account in self._tried else None
            if known is not None:
                self._judge_probe(account, known, good=good, bad=bad)
            elif bads >= ENOUGH and bads >= SHARE * (goods + bads):
                self.open(account, f"{bads} of {goods + bads} answers in {WINDOW:.0f} s were failures")
        except RedisError as error:
            log.warning("breaker.unwritten", account=account, error=type(error).__name__)

    def is_closed(self, account: str) -> bool:
        """Whether nothing speaks against `account`, as far as all workers know."""
        try:
            return client().get(key_of(account)) is None
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
        self._open(account, why, strikes, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (strikes - 1)))

    def useless(self, account: str, why: str) -> None:
        """Nothing can be sent by `account`, whatever is tried: its breaker is opened at once, and again by a probe."""
        if strikes := self._next_strike(account):
            self.open(account, why, strikes=strikes)

    def exhausted(self, account: str) -> None:
        """Its balance is used up: likewise, for longer."""
        if strikes := self._next_strike(account):
            rest = min(LONGEST_REST, FIRST_REST * 2 ** (strikes - 1))
            self._open(account, "its balance is used up", strikes, rest)

    def close(self, account: str) -> None:
        """Send everything to `account` again: somebody mended it."""
        client().delete(key_of(account), _probe_key(account))
        log.info("breaker.closed", account=account)

    def _open(self, account: str, why: str, strikes: int, pause: float) -> None:
        self._answers.pop(account, None)
        self._glimpsed.pop(account, None)
        self.changes += 1
        log.error("breaker.opened", account=account, why=why, seconds=pause)
        known = {"until": time.time() + pause, "strikes": strikes, "pause": pause, "why": why}
        try:
            client().set(key_of(account), json.dumps(known), ex=_REMEMBERED)
            client().delete(_probe_key(account))
        except RedisError as error:
            log.warning("breaker.unwritten", account=account, error=type(error).__name__)

    def _next_strike(self, account: str) -> int:
        """How often in a row it will have been opened; 0 while it is left alone already."""
        try:
            known = client().get(key_of(account))
        except RedisError:
            return 1
        if known is None:
            return 1
        return 0 if _rest(known) else int(json.loads(known)["strikes"]) + 1

    def _judge_probe(self, account: str, known: bytes | str, *, good: int, bad: int) -> None:
        if _rest(known):
            return  # answers to what was under way when it opened
        if good and not bad:
            client().delete(key_of(account), _probe_key(account))
            self._answers.pop(account, None)
            log.info("breaker.closed", account=account)
        elif bad:
            self.open(account, "it failed again when it was tried", strikes=int(json.loads(known)["strikes"]) + 1)


def opened() -> dict[str, float]:
    """The accounts whose breakers are not closed, and for how many seconds they are still left alone."""
    try:
        names = [key.decode().removeprefix(_PREFIX) for key in client().scan_iter(f"{_PREFIX}*")]
        found = [(name, client().get(key_of(name))) for name in names]
    except RedisError:
        return {}
    return {name: _rest(known) for name, known in found if known}


@dataclass(frozen=True, slots=True)
class Opened:
    """A breaker that is not closed. `rest`: seconds for which the account is still left alone; 0: it is being tried."""

    rest: float
    why: str


def standing(accounts: Sequence[str]) -> dict[str, Opened]:
    """Those of these accounts whose breakers are not closed. Raises `RedisError`."""
    found = client().mget([key_of(account) for account in accounts]) if accounts else []
    known = {account: one for account, one in zip(accounts, found, strict=True) if one}
    return {account: Opened(_rest(one), json.loads(one).get("why", "")) for account, one in known.items()}


_PREFIX: Final = "breaker:"


def _rest(known: bytes | str) -> float:
    """For how many seconds an account is still left alone; more than its pause means a clock set back."""
    read = json.loads(known)
    left = float(read["until"]) - time.time()
    return left if 0 < left <= float(read.get("pause", LONGEST_PAUSE)) else 0.0


def _why(known: bytes | str) -> str:
    """Why it was opened."""
    return str(json.loads(known).get("why", ""))


def key_of(account: str) -> str:
    """Where it stands that an account's breaker is not closed."""
    return f"{_PREFIX}{account}"


def _probe_key(account: str) -> str:
    return f"probe:{account}"


breakers: Final = Breakers()
