"""The second half of the road: from a hint to an outcome in the log."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Final, TypeVar
from uuid import UUID

import msgspec
import structlog
from django.conf import settings

from notifications import numbers, queues, tokens
from notifications.breakers import breakers
from notifications.composing import Asleep, Composed, Composer, MustWait, NoAccount, Unusable
from notifications.heeding import Answered, bury, count, heed_opt_outs, watched
from notifications.ledger.claim import Claim, Claimed, Lease, Shared, claim
from notifications.ledger.outages import AWAY, until_written
from notifications.ledger.record import Letter, Result, finish, record
from notifications.ledger.release import release
from notifications.ledger.sweep import next_due
from notifications.liveness import signing
from notifications.meters import Meters, metered
from notifications.planning.retry import (
    Attempt,
    RetryPolicy,
    Step,
    next_step,
    no_account,
    wait_for_resumption,
    wait_for_turn,
)
from notifications.providers.contract import (
    Accepted,
    AddressDead,
    Ambiguous,
    CredentialBad,
    Exchange,
    Forbidden,
    NoAnswer,
    NotSent,
    Outcome,
    Outgoing,
    Response,
    Transient,
)
from notifications.routes import Outlet
from notifications.stopping import stopping
from notifications.vocabulary import DeliveryState, Lane, Reason
from notifications.wire import wire
from templates_app.rendering import RenderError

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Answers that are recorded together: few enough that a crash leaves few in doubt, enough to be worth a commit.
_RECORD_TOGETHER: Final = 250
#: Seconds that an answer waits for others, while others come.
_RECORD_WITHIN: Final = 0.1
#: Seconds, after a claim of fewer deliveries than this, in which more may come together.
_GATHER: Final = 0.05
_SMALL: Final = 100
#: Seconds between two claims of which the first could not be sent at all: breakers are open, or buckets empty.
_STALLED: Final = 0.25
#: Seconds after which a worker looks at its other lanes again.
_TURN: Final = 2.0


@dataclass(frozen=True, slots=True)
class Dispatched:
    """How much was sent on its way, and how long until the next of what waits in the retry lane is due."""

    attempted: int
    retry_in: timedelta | None = None


class _Ready(msgspec.Struct, frozen=True, gc=False):
    """A claimed delivery whose request is composed."""

    claimed: Claimed
    shared: Shared
    lease: Lease
    composed: Composed


def dispatch(lane: Lane, *, clock: Callable[[], datetime]) -> Dispatched:
    """Send what is due in `lane`, for a turn.

    1. Claim: a lease on the oldest due batches; whoever comes second claims others or nothing.
    2. If there is more, call for help, so that an idle worker joins in.
    3. Render and compose (`composing`); what cannot be sent at all has its result already.
    4. Send over the wire. No transaction is open while providers think; as answers arrive, the places that they
       leave are filled from the next claim, until the lane is empty, the turn is over, or something urgent waits.
    5. Record answers, a few hundred at a time, and act on opt-outs.
    6. Give each lease back together with the record of the last delivery that it covers.
    7. Retire the addresses that were called dead, at the end, when it is known that not all of them were.

    A worker that is to end claims nothing more, waits for answers a few seconds, and gives back what has not left. So
    does one with what could be answered only after its lease: by then another may send it.
    """
    turn = _Turn(lane, clock)
    with metered() as meters:
        for answered in _in_portions(turn.attempts()):
            _record(answered, turn, meters, clock())
    bury(turn.dead(), clock())
    if turn.is_cut_short:
        queues.taken(lane)
        queues.hint([lane])
    due_at = next_due(lane.retry) if turn.has_put_off or lane is lane.retry else None
    return Dispatched(turn.attempted, due_at - clock() if due_at else None)


class _Turn:
    """One worker's turn at a lane: what it claims, and which leases it still owes."""

    def __init__(self, lane: Lane, clock: Callable[[], datetime]) -> None:
        self._lane = lane
        self._clock = clock
        self._policy = RetryPolicy(max_attempts=settings.MAX_ATTEMPTS)
        self._ends_at = time.monotonic() + _TURN
        #: When it began to claim what it claimed last: its lease counts from then.
        self._claimed_at = 0.0
        self._settled: deque[Answered] = deque()
        #: How many deliveries of each lease are not recorded yet.
        self._owed: dict[UUID, int] = {}
        self._unsent: defaultdict[Lease, list[Claimed]] = defaultdict(list)
        self.attempted = 0
        self._was_small = False
        self._is_stalled = False
        self.is_cut_short = False
        #: Whether anything was put off to the retry lane.
        self.has_put_off = False
        self._dead: list[Answered] = []
        self._mistaken: set[str] = set()

    def attempts(self) -> Iterator[Answered]:
        """Every claimed delivery with what became of it, as soon as that is known."""
        flying: dict[int, _Ready] = {}
        for position, exchange in wire.exchange(self._requests(flying)):
            signing.moved()
            yield from self._drained()
            one = flying.pop(position)
            too_late = time.monotonic() > one.composed.request.start_by
            if isinstance(exchange, NotSent) and (too_late or stopping.is_wished()):
                self._unsent[one.lease].append(one.claimed)
                continue
            outlet, at = one.composed.outlet, self._clock()
            outcome = _outcome(one, exchange)
            attempt = _attempt(one.claimed, one.shared, at)
            if not isinstance(outcome, Accepted) and _has_another(one.composed, outcome):
                attempt = msgspec.structs.replace(attempt, elsewhere=True)
            step = next_step(outcome, attempt, self._policy)
            result = _told(_result(one.claimed, step, outcome, outlet, at), one.composed)
            yield Answered(one.claimed, one.lease, outcome, result, outlet, exchange.elapsed)
        yield from self._drained()
        for lease, unsent in self._unsent.items():
            self._give_back(unsent, lease)

    def died(self, dead: Iterable[Answered]) -> None:
        """The provider calls these addresses dead."""
        self._dead.extend(dead)

    def distrust(self, account: str) -> None:
        """What this account says of dead addresses cannot be: not in this turn, nor what it said earlier in it."""
        self._mistaken.add(account)

    def dead(self) -> Sequence[Answered]:
        """Those called dead by an account that can be believed."""
        return [one for one in self._dead if one.outlet and one.outlet.account.name not in self._mistaken]

    def ended_by(self, answered: Sequence[Answered]) -> Sequence[Lease]:
        """The leases of which nothing is left to be recorded after these."""
        return [one.lease for one in answered if self._is_paid(one.lease, 1)]

    def _is_paid(self, lease: Lease, deliveries: int) -> bool:
        self._owed[lease.id] -= deliveries
        return not self._owed[lease.id]

    def _give_back(self, unsent: Sequence[Claimed], lease: Lease) -> None:
        back = _written(lambda: release(unsent, lease, self._clock()))
        log.info("lease.given_back", lane=self._lane, deliveries=back)
        if self._is_paid(lease, len(unsent)):
            _written(lambda: finish(lease))

    def _requests(self, flying: dict[int, _Ready]) -> Iterator[Outgoing]:
        """The requests of one claim after the other; what needs none is settled."""
        position = 0
        while held := self._claimed():
            start_by = self._claimed_at + settings.LEASE_SECONDS - settings.PROVIDER_SECONDS
            composer = Composer(held, wire.exchange_one, settings.PUBLIC_URL, self._clock(), start_by=start_by)
            self._is_stalled = True
            for place, claimed in enumerate(held.deliveries):
                if stopping.is_wished() or time.monotonic() > start_by:
                    self._give_back(held.deliveries[place:], held.lease)
                    break
                try:
                    prepared = self._prepare(claimed, held, composer)
                except AWAY as error:
                    # what it takes to compose cannot be read: these never leave, those under way are waited for
                    log.warning("ledger.away", error=type(error).__name__)
                    self._unsent[held.lease].extend(held.deliveries[place:])
                    break
                if isinstance(prepared, Answered):
                    self._settled.append(prepared)
                    continue
                flying[position] = prepared
                position += 1
                self._is_stalled = False
                yield prepared.composed.request
            composer.close()

    def _claimed(self) -> Claim | None:
        """The next claim, while the turn lasts."""
        while self._goes_on():
            self._let_some_gather()
            signing.moved()
            try:
                held = self._claim() or self._last_look()
            except AWAY as error:
                if not self.attempted:
                    raise
                log.warning("ledger.away", error=type(error).__name__)
                held = None
            if held is None:
                return None
            if held.more:
                queues.call_for_help(self._lane)
            self.attempted += len(held.deliveries)
            self._was_small = len(held.deliveries) < _SMALL
            if held.deliveries:
                self._owed[held.lease.id] = len(held.deliveries)
                return held
            finish(held.lease)
        return None

    def _let_some_gather(self) -> None:
        """Between two small claims, wait a moment: a claim of one costs as much as a claim of a hundred."""
        if (self._was_small or self._is_stalled) and not self._lane.is_critical:
            time.sleep(_STALLED if self._is_stalled else _GATHER)

    def _claim(self) -> Claim | None:
        self._claimed_at = time.monotonic()
        return claim(self._lane, at=self._clock(), lease_for=timedelta(seconds=settings.LEASE_SECONDS))

    def _last_look(self) -> Claim | None:
        """From here on new work needs a new hint; what came before without one is found now."""
        queues.taken(self._lane)
        return self._claim()

    def _goes_on(self) -> bool:
        """Always for a first claim; then until time is up, or a more urgent lane of the queue has something due."""
        if stopping.is_wished():
            self.is_cut_short = True
            return False
        if self.attempted and (time.monotonic() > self._ends_at or queues.are_hinted(self._lane.more_urgent)):
            self.is_cut_short = True
            return False
        return True

    def _prepare(self, claimed: Claimed, held: Claim, composer: Composer) -> _Ready | Answered:
        """The request for one delivery, or the result that it has without any."""
        shared, lease, at = held.notifications[claimed.notification_id], held.lease, composer.at
        if shared.expires_at and at >= shared.expires_at:
            return _settled(claimed, lease, Step(DeliveryState.EXPIRED, Reason.EXPIRED), at)
        if shared.paused_at:
            # nobody holds this up: others of the lane are claimed at once
            self._is_stalled = False
            return _settled(claimed, lease, wait_for_resumption(shared.paused_at, _attempt(claimed, shared, at)), at)
        if claimed.failures >= self._policy.max_attempts:
            # its workers were lost, one after the other: whatever kills them is not given another
            return _settled(claimed, lease, Step(DeliveryState.FAILED, Reason.ATTEMPTS_EXHAUSTED), at)
        if not claimed.address and claimed.device_id is None:
            # a worker had it when its person was erased, and it came back
            return _settled(claimed, lease, Step(DeliveryState.SUPPRESSED, Reason.ERASED), at)
        if not claimed.address:
            return _settled(claimed, lease, Step(DeliveryState.FAILED, Reason.DEVICE_GONE), at)
        try:
            return _Ready(claimed, shared, lease, composer.compose(claimed))
        except MustWait as wait:
            step = wait_for_turn(wait.reason, timedelta(seconds=wait.seconds), _attempt(claimed, shared, at))
            return _settled(claimed, lease, step, at, detail=str(wait))
        except Asleep as asleep:
            step = wait_for_turn(Reason.QUIET_HOURS, asleep.until - at, _attempt(claimed, shared, at))
            return _settled(claimed, lease, step, at, detail=str(asleep))
        except NoAccount:
            return _settled(claimed, lease, no_account(_attempt(claimed, shared, at), self._policy), at)
        except RenderError as error:
            return _settled(claimed, lease, Step(DeliveryState.FAILED, Reason.NOT_RENDERED), at, detail=str(error))
        except Unusable as unusable:
            step = next_step(unusable.outcome, _attempt(claimed, shared, at), self._policy)
            result = _result(claimed, step, unusable.outcome, unusable.outlet, at)
            return Answered(claimed, lease, unusable.outcome, result, unusable.outlet)

    def _drained(self) -> Iterator[Answered]:
        while self._settled:
            yield self._settled.popleft()


def _has_another(composed: Composed, outcome: Outcome) -> bool:
    """Whether an account that was not asked yet in this round can be, as far as is known. One that takes a message
    once, however often it is asked, is asked again about what is in doubt.
    """
    if isinstance(outcome, Ambiguous) and composed.outlet.numbers:
        return False
    return not all(map(breakers.is_open, composed.others))


def _outcome(one: _Ready, exchange: Exchange) -> Outcome:
    outlet = one.composed.outlet
    match exchange:
        case NotSent(detail=detail):
            return Transient(detail)
        case NoAnswer(detail=detail):
            return Ambiguous(detail)
        case Forbidden():
            return exchange
        case Response():
            outcome = outlet.provider.interpret(exchange)
            if isinstance(outcome, CredentialBad) and outcome.stale_token:
                tokens.forget(outlet.account)
            if isinstance(outcome, Transient) and outcome.stale_number:
                numbers.forget(outlet.account, one.claimed.id)
            return outcome


def _record(answered: Sequence[Answered], turn: _Turn, meters: Meters, at: datetime) -> None:
    """Write results, then act on what they say about people."""
    answered = watched(answered, turn.distrust, meters, at)
    results, ended = [one.result for one in answered], turn.ended_by(answered)
    turn.has_put_off |= _written(lambda: record(results, answered[0].lease.lane, ended))
    turn.died(one for one in answered if isinstance(one.outcome, AddressDead))
    heed_opt_outs(answered, at)
    numbers.settle(
        (one.outlet.account, one.claimed.id)
        for one in answered
        if one.outlet and one.outlet.numbers and one.result.step.state is DeliveryState.SENT
    )
    for one in answered:
        count(one, meters)


def _written(write: Callable[[], T]) -> T:
    """A write that outlasts an absence of the database, as long as the leases last for which it is made."""
    return until_written(write, seconds=settings.LEASE_SECONDS)


def _in_portions(answers: Iterable[Answered]) -> Iterator[Sequence[Answered]]:
    """A few hundred at a time, and none waits long for others to come."""
    portion: list[Answered] = []
    began = 0.0
    for answer in answers:
        if not portion:
            began = time.monotonic()
        portion.append(answer)
        if len(portion) >= _RECORD_TOGETHER or time.monotonic() - began > _RECORD_WITHIN:
            yield portion
            portion = []
    if portion:
        yield portion


def _settled(claimed: Claimed, lease: Lease, step: Step, at: datetime, *, detail: str = "") -> Answered:
    letter = Letter(claimed.notification_id, claimed.queue)
    return Answered(claimed, lease, None, Result(claimed.id, claimed.attempt, step, at, detail=detail, letter=letter))


def _told(result: Result, composed: Composed) -> Result:
    """The result with what it costs, and why it went through another account than the one that comes first."""
    if composed.charge:
        result = msgspec.structs.replace(result, charge=composed.charge)
    if composed.detour:
        why = ", ".join(filter(None, [f"because {composed.detour}", result.detail]))
        result = msgspec.structs.replace(result, detail=why)
    return result


def _result(claimed: Claimed, step: Step, outcome: Outcome, outlet: Outlet, at: datetime) -> Result:
    return Result(
        delivery_id=claimed.id,
        attempt=claimed.attempt,
        step=step,
        at=at,
        account=outlet.account.name,
        provider_ref=getattr(outcome, "provider_ref", ""),
        detail=getattr(outcome, "detail", ""),
        letter=Letter(claimed.notification_id, claimed.queue),
        awaits_receipt=outlet.calls_back,
    )


def _attempt(claimed: Claimed, shared: Shared, at: datetime) -> Attempt:
    return Attempt(claimed.failures + 1, at, shared.expires_at, shared.resend_in_doubt, dice=random())
