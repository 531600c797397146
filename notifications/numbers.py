"""Numbers under which a provider takes a message once: handed out by it, shared by all workers, kept by a delivery.

What is left over of a handful lies in a pool in Redis. A number stays bound to its delivery for as long as the provider
knows it, so that each attempt carries the same one: where an answer was lost the request is repeated, and the provider
answers as it did the first time. One call binds the deliveries of a whole claim. If Redis does not answer, nobody is
held up: messages leave without a number, as with providers that have none.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from notifications.providers.contract import (
    Account,
    AddressDead,
    ContentBad,
    CredentialBad,
    Exchange,
    NoFunds,
    NumberSource,
    OptedOut,
    Refused,
    Request,
    Response,
    Throttled,
    Transient,
)
from notifications.redis_client import client

log = structlog.get_logger(__name__)

#: A number is not given out when its last hour has come: the request must arrive, and perhaps be repeated, before that.
_MARGIN: Final = timedelta(hours=1)
#: Those that lie in the pool for longer than this would be bound for too short a time.
_LONGEST_IN_POOL: Final = timedelta(hours=11)
#: Seconds for which a number stays bound after its delivery was sent: a worker that was frozen past its lease may say
#: so, while another one, to whom the delivery is given meanwhile, is about to repeat the request. Longer than the
#: longest backoff.
_SENT: Final = 1800

#: KEYS: the pool, then a binding for each delivery. ARGV: seconds for which a fresh number may be used, seconds for
#: which one may lie in the pool, then fresh numbers. What is bound stays so; the others get a fresh number, or the
#: oldest one of the pool; what is left goes there. Gives a number for each delivery, or "".
_BIND: Final = """
local now = tonumber(redis.call('TIME')[1])
local usable, lying = tonumber(ARGV[1]), tonumber(ARGV[2])
local place, given = 3, {}
local function another()
  if place <= #ARGV then
    place = place + 1
    return (now + usable) .. ' ' .. ARGV[place - 1]
  end
  while true do
    local kept = redis.call('RPOP', KEYS[1])
    if not kept then
      return nil
    end
    local left = tonumber(string.match(kept, '^%d+')) - now
    if left > usable - lying and left <= usable then -- more than was ever left means a clock set back
      return kept
    end
  end
end
for number = 2, #KEYS do
  local bound = redis.call('GET', KEYS[number]) or another()
  if bound then
    local ends, value = string.match(bound, '^(%d+) (.*)$')
    redis.call('SET', KEYS[number], bound, 'EX', math.max(1, math.min(ends - now, usable)))
    given[number - 1] = value
  else
    given[number - 1] = ''
  end
end
while place <= #ARGV do
  redis.call('LPUSH', KEYS[1], another())
end
redis.call('EXPIRE', KEYS[1], lying)
return given
"""


class NoNumber(Exception):
    """The provider gives no number; `outcome` says why."""

    def __init__(self, outcome: Refused) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class Numbers:
    """The numbers of one claim's deliveries by one account. `exchange` performs the request for more."""

    def __init__(
        self,
        source: NumberSource,
        account: Account,
        deliveries: Iterable[UUID],
        exchange: Callable[[Request], Exchange],
    ) -> None:
        self._source = source
        self._account = account
        self._exchange = exchange
        self._identity = account.identity
        #: In the order in which they will be sent.
        self._without = dict.fromkeys(deliveries)
        self._given: dict[UUID, str] = {}
        self._refusal: Refused | None = None
        self._is_away = False

    def of(self, delivery_id: UUID) -> str:
        """The number of one of the deliveries: that of its earlier attempts, one of the pool, or a new one.

        "" where Redis does not answer. Raises `NoNumber` when the provider gives none; it is not asked again then.
        """
        try:
            if delivery_id not in self._given and not self._is_away:
                self._bind()
            if not self._given.get(delivery_id) and not self._is_away:
                self._bind(self._fresh())
        except RedisError as error:
            log.warning("numbers.unbound", account=self._account.name, error=type(error).__name__)
            self._is_away = True
        return self._given.get(delivery_id, "")

    def _bind(self, fresh: Sequence[str] = ()) -> None:
        """Bind what has no number yet, as far as there are some."""
        usable = self._source.lifetime - _MARGIN
        seconds = [int(span.total_seconds()) for span in (usable, min(_LONGEST_IN_POOL, usable))]
        waiting = list(self._without)
        keys = [f"numbers:{self._identity}", *(_binding(self._identity, delivery_id) for delivery_id in waiting)]
        found = client().register_script(_BIND)(keys, [*seconds, *fresh])
        for delivery_id, number in zip(waiting, found, strict=True):
            self._given[delivery_id] = number.decode()
            if number:
                del self._without[delivery_id]

    def _fresh(self) -> Sequence[str]:
        """New numbers for those that have none, or a handful if that is more."""
        if self._refusal is None:
            count = max(len(self._without), self._source.handful)
            exchange = self._exchange(self._source.ask(self._account, count))
            match exchange:
                case Response():
                    answer = self._source.read(exchange)
                case _:
                    # nothing was sent to anybody, whether the request left or not
                    answer = Transient(f"no number for the message: {exchange.detail}")
            match answer:
                case AddressDead() | OptedOut() | ContentBad():
                    # of whom and of what the message is, nothing was said
                    self._refusal = Transient(f"no number for the message: {answer.detail}")
                case Throttled() | CredentialBad() | NoFunds() | Transient():
                    self._refusal = answer
                case _:
                    return answer
        raise NoNumber(self._refusal)


def settle(sent: Iterable[tuple[Account, UUID]]) -> None:
    """These were sent: their numbers need not be kept for the whole of their lives."""
    identities: dict[str, str] = {}
    keys = []
    for account, delivery_id in sent:
        if account.name not in identities:
            identities[account.name] = account.identity
        keys.append(_binding(identities[account.name], delivery_id))
    if keys:
        _end_in(_SENT, keys)


def forget(account: Account, delivery_id: UUID) -> None:
    """The provider does not know this delivery's number: the next attempt gets another one."""
    _end_in(0, [_binding(account.identity, delivery_id)])


def _end_in(seconds: int, keys: Sequence[str]) -> None:
    try:
        pipeline = client().pipeline(transaction=False)
        for key in keys:
            pipeline.expire(key, seconds)
        pipeline.execute()
    except RedisError as error:
        log.warning("numbers.unwritten", error=type(error).__name__)


def _binding(identity: str, delivery_id: UUID) -> str:
    return f"number:{identity}:{delivery_id.hex}"
