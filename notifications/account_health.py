"""How provider accounts did in the last minutes: answers by kind and by how long they took, and the latest trouble.

Noted once for each portion of answers that is recorded, counted in memory and written once a second, by minute; what is
older than a quarter of an hour is forgotten. For the eyes of people: nothing is decided by it.
"""

import json
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from notifications.meters import BUCKETS, Buffer
from notifications.redis_client import client

#: Minutes that are looked at together: the one that runs, and those before it.
WINDOW: Final = 5
#: Seconds for which a minute is kept, and for which the latest trouble is.
_KEPT: Final = 900
_TROUBLE_KEPT: Final = 86_400
#: Beyond the last bucket.
_SLOWER: Final = "slower"
_BOUNDS: Final = (*map(str, BUCKETS), _SLOWER)


@dataclass(frozen=True, slots=True)
class Health:
    """The last minutes of an account. `trouble` is the latest there was, however old; `trouble_at` in epoch seconds.

    `usual` and `slow`: half of the answers, and 95 % of them, took at most so many seconds; None without answers, and
    infinite beyond ten seconds.
    """

    good: int = 0
    bad: int = 0
    throttled: int = 0
    usual: float | None = None
    slow: float | None = None
    trouble: str = ""
    trouble_at: float = 0.0

    @property
    def answers(self) -> int:
        """How many there were of any kind."""
        return self.good + self.bad + self.throttled

    @property
    def success(self) -> float | None:
        """The share of the answers that speaks for the account; None where none speaks for or against it."""
        return self.good / (self.good + self.bad) if self.good + self.bad else None


@dataclass(frozen=True, slots=True)
class Portion:
    """Answers of one account that came together: how many of each kind, and how long they took.

    `trouble` is the latest of them that speaks against the account, in our words.
    """

    good: int
    bad: int
    throttled: int = 0
    seconds: Sequence[float] = ()
    trouble: str = ""


def saw(account: str, portion: Portion) -> None:
    """Note a portion of answers."""
    minute = str(int(time.time() // 60))
    counts: Counter[tuple[str, ...]] = Counter(
        (account, minute, _BOUNDS[bisect_left(BUCKETS, one)]) for one in portion.seconds
    )
    for kind, amount in (("good", portion.good), ("bad", portion.bad), ("throttled", portion.throttled)):
        if amount:
            counts[account, minute, kind] = amount
    if portion.trouble:
        _troubles[account] = (time.time(), portion.trouble)
    _buffer.add(counts)


def of(accounts: Sequence[str]) -> dict[str, Health]:
    """The health of each account. Raises `RedisError`."""
    _buffer.write()
    this = int(time.time() // 60)
    pipe = client().pipeline(transaction=False)
    for account in accounts:
        for minute in range(this - WINDOW + 1, this + 1):
            pipe.hgetall(_key(account, minute))
        pipe.get(_trouble_key(account))
    found = pipe.execute()
    return {
        account: _health(found[place * (WINDOW + 1) : (place + 1) * (WINDOW + 1)])
        for place, account in enumerate(accounts)
    }


def _health(found: Sequence[Any]) -> Health:
    *minutes, trouble = found
    counts: Counter[str] = Counter()
    for minute in minutes:
        counts.update({field.decode(): int(amount) for field, amount in minute.items()})
    at, said = json.loads(trouble) if trouble else (0.0, "")
    return Health(
        good=counts["good"],
        bad=counts["bad"],
        throttled=counts["throttled"],
        usual=_within(counts, 0.5),
        slow=_within(counts, 0.95),
        trouble=said,
        trouble_at=at,
    )


def _within(counts: Mapping[str, int], share: float) -> float | None:
    """The bound within which this share of the answers came."""
    totals = list(accumulate(counts[bound] for bound in _BOUNDS))
    if not totals[-1]:
        return None
    enough = next(place for place, total in enumerate(totals) if total >= share * totals[-1])
    return BUCKETS[enough] if enough < len(BUCKETS) else float("inf")


def _write(counts: Mapping[tuple[str, ...], int]) -> None:
    pipe = client().pipeline(transaction=False)
    for (account, minute, field), amount in counts.items():
        pipe.hincrby(_key(account, int(minute)), field, amount)
    for key in {_key(account, int(minute)) for account, minute, _ in counts}:
        pipe.expire(key, _KEPT)
    while _troubles:
        account, trouble = _troubles.popitem()
        pipe.set(_trouble_key(account), json.dumps(trouble), ex=_TROUBLE_KEPT)
    pipe.execute()


def _key(account: str, minute: int) -> str:
    return f"health:{account}:{minute}"


def _trouble_key(account: str) -> str:
    return f"trouble:{account}"


#: The latest trouble of each account that is not written yet.
_troubles: Final[dict[str, tuple[float, str]]] = {}
_buffer: Final = Buffer(_write)
