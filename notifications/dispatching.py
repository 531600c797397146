"""The second half of the road: from a hint to an outcome in the log."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Final

import structlog
from django.conf import settings

from accounts import consent, devices
from accounts.channels import Channel
from notifications import queues, tokens
from notifications.composing import Composed, Composer, NoAccount
from notifications.ledger.claim import Claim, Claimed, Lease, Shared, claim
from notifications.ledger.record import Result, finish, record
from notifications.meters import Meters, metered
from notifications.planning.retry import Attempt, RetryPolicy, Step, next_step, no_account
from notifications.providers.contract import (
    AddressDead,
    Ambiguous,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    NoAnswer,
    NotSent,
    OptedOut,
    Outcome,
    Response,
    TokenUnavailable,
    Transient,
)
from notifications.routes import Route
from notifications.vocabulary import CHANNEL_OF, DeliveryState, Lane, Reason
from notifications.wire import http2
from templates_app.rendering import RenderError

log = structlog.get_logger(__name__)

#: Answers that are recorded together: few enough that a crash leaves few in doubt, enough to be worth a commit.
_RECORD_TOGETHER: Final = 250


@dataclass(frozen=True, slots=True)
class Dispatched:
    """How much was sent on its way, and how long until the first of what failed in passing is due again."""

    attempted: int
    retry_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """One claimed delivery, when it was looked at, and what the platform's policy is."""

    claimed: Claimed
    shared: Shared
    at: datetime
    policy: RetryPolicy


@dataclass(frozen=True, slots=True)
class _Ready:
    """A claimed delivery whose request is composed."""

    claimed: Claimed
    shared: Shared
    composed: Composed


@dataclass(frozen=True, slots=True)
class _Answered:
    """What an attempt came to. `route` is None where it did not get as far as a provider."""

    claimed: Claimed
    outcome: Outcome | None
    result: Result
    route: Route | None = None
    seconds: float = 0.0


def dispatch(lane: Lane, *, clock: Callable[[], datetime]) -> Dispatched:
    """Send what is due in `lane`, as much as one worker carries.

    1. Claim: a lease on the oldest due batches; whoever comes second claims others or nothing.
    2. If there is more, hint again at once, so that an idle worker joins in.
    3. Render and compose (`composing`); what cannot be sent at all has its result already.
    4. Send over the wire. No transaction is open, no connection held while providers think.
    5. Record answers as they arrive, a few hundred at a time, and act on dead addresses and opt-outs.
    6. Give the lease back.
    """
    queues.taken(lane)
    held = claim(lane, at=clock(), lease_for=timedelta(seconds=settings.LEASE_SECONDS))
    if held is None:
        return Dispatched(0)
    if held.more:
        queues.hint([lane])
    soonest: datetime | None = None
    with metered() as meters:
        for answered in _in_portions(_attempts(held, clock)):
            due = _record(answered, held.lease, meters, clock())
            soonest = min((at for at in (soonest, due) if at), default=None)
    finish(held.lease)
    return Dispatched(len(held.deliveries), soonest - clock() if soonest else None)


def _attempts(held: Claim, clock: Callable[[], datetime]) -> Iterator[_Answered]:
    """Every claimed delivery with what became of it, as soon as that is known."""
    ready: list[_Ready] = []
    at, policy = clock(), RetryPolicy(max_attempts=settings.MAX_ATTEMPTS)
    composer = Composer(http2.exchange_one, settings.PUBLIC_URL, at)
    for claimed in held.deliveries:
        prepared = _prepare(_Asked(claimed, held.notifications[claimed.notification_id], at, policy), composer)
        if isinstance(prepared, _Ready):
            ready.append(prepared)
        else:
            yield prepared
    for position, exchange in http2.exchange([one.composed.request for one in ready]):
        one, route = ready[position], ready[position].composed.route
        outcome, answered_at = _outcome(route, exchange), clock()
        step = next_step(outcome, _attempt(one.claimed, one.shared, answered_at), policy)
        result = _result(one.claimed, step, outcome, route, answered_at)
        yield _Answered(one.claimed, outcome, result, route, exchange.elapsed)


def _prepare(asked: _Asked, composer: Composer) -> _Ready | _Answered:
    """The request for one delivery, or the result that it has without any."""
    claimed, shared, at, policy = asked.claimed, asked.shared, asked.at, asked.policy
    if shared.expires_at and at >= shared.expires_at:
        return _settled(claimed, Step(DeliveryState.EXPIRED, Reason.EXPIRED), at)
    if not claimed.address:
        return _settled(claimed, Step(DeliveryState.FAILED, Reason.DEVICE_GONE), at)
    try:
        return _Ready(claimed, shared, composer.compose(claimed, shared))
    except NoAccount:
        return _settled(claimed, no_account(_attempt(claimed, shared, at), policy), at)
    except RenderError as error:
        return _settled(claimed, Step(DeliveryState.FAILED, Reason.NOT_RENDERED), at, detail=str(error))
    except BadAccount as error:
        # a token service that does not answer passes; credentials that cannot work do not
        passes = isinstance(error, TokenUnavailable)
        outcome = Transient(str(error)) if passes else CredentialBad(str(error))
        route = composer.route(claimed, shared)
        step = next_step(outcome, _attempt(claimed, shared, at), policy)
        return _Answered(claimed, outcome, _result(claimed, step, outcome, route, at), route)


def _outcome(route: Route, exchange: Exchange) -> Outcome:
    match exchange:
        case NotSent(detail=detail):
            return Transient(detail)
        case NoAnswer(detail=detail):
            return Ambiguous(detail)
        case Response():
            outcome = route.provider.interpret(exchange)
            if isinstance(outcome, CredentialBad) and outcome.stale_token:
                tokens.forget(route.account)
            return outcome


def _record(answered: Sequence[_Answered], lease: Lease, meters: Meters, at: datetime) -> datetime | None:
    """Write results, then act on what they say about addresses. Returns when the first retry is due."""
    dues = record([one.result for one in answered], lease)
    dead = [
        (one.claimed.device_id, one.outcome.since, one.outcome.detail)
        for one in answered
        if isinstance(one.outcome, AddressDead) and one.claimed.device_id
    ]
    if dead:
        devices.retire_many(dead, at)
    _suppress(answered, at)
    for one in answered:
        _meter(one, meters)
    return min((due_at for _, due_at in dues), default=None)


def _suppress(answered: Iterable[_Answered], at: datetime) -> None:
    for one in answered:
        channel = CHANNEL_OF[one.claimed.queue]
        if channel is Channel.PUSH:
            continue
        match one.outcome:
            case AddressDead(detail=detail):
                consent.suppress(channel, one.claimed.address, consent.Cause.HARD_BOUNCE, at, detail=detail)
            case OptedOut(detail=detail):
                consent.suppress(channel, one.claimed.address, consent.Cause.STOP, at, detail=detail)
            case _:
                pass


def _meter(one: _Answered, meters: Meters) -> None:
    account = one.route.account.name if one.route else ""
    meters.count(one.result.step.state, one.claimed.queue, account, one.result.step.reason or "")
    if one.route:
        meters.took(one.seconds, one.route.provider.name, account)
    if isinstance(one.outcome, CredentialBad | ContentBad):
        log.error("delivery.refused", delivery=str(one.claimed.id), account=account, detail=one.outcome.detail)


def _in_portions(answers: Iterable[_Answered]) -> Iterator[Sequence[_Answered]]:
    portion: list[_Answered] = []
    for answer in answers:
        portion.append(answer)
        if len(portion) >= _RECORD_TOGETHER:
            yield portion
            portion = []
    if portion:
        yield portion


def _settled(claimed: Claimed, step: Step, at: datetime, *, detail: str = "") -> _Answered:
    return _Answered(claimed, None, Result(claimed.id, claimed.attempt, step, at, detail=detail))


def _result(claimed: Claimed, step: Step, outcome: Outcome, route: Route, at: datetime) -> Result:
    return Result(
        delivery_id=claimed.id,
        attempt=claimed.attempt,
        step=step,
        at=at,
        account=route.account.name,
        provider_ref=getattr(outcome, "provider_ref", ""),
        detail=getattr(outcome, "detail", ""),
    )


def _attempt(claimed: Claimed, shared: Shared, at: datetime) -> Attempt:
    return Attempt(claimed.attempt, at, shared.expires_at, shared.resend_in_doubt, dice=random())
