"""What to do after an outcome: again, never, or wait for somebody who knows more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from notifications.providers.contract import (
    Accepted,
    AddressDead,
    Ambiguous,
    ContentBad,
    CredentialBad,
    Forbidden,
    NoFunds,
    OptedOut,
    Outcome,
    Throttled,
    Transient,
)
from notifications.vocabulary import DeliveryState, Reason


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter: a wait is drawn from 0 to `base * 2 ** failures`, at most `longest`.

    "Full jitter" spreads a crowd of failed deliveries best; see "Exponential Backoff And Jitter",
    aws.amazon.com/blogs/architecture.
    """

    max_attempts: int
    base: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=15)

    def wait(self, attempt: int, dice: float) -> timedelta:
        """How long to wait after attempt number `attempt` failed; `dice` is a random number in [0, 1)."""
        ceiling: timedelta = min(self.longest, self.base * 2 ** min(attempt, 16))
        return ceiling * dice


class Step(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a delivery after an attempt. `due_at` is set where it is to be tried again.

    `counts` tells whether the attempt brings it nearer to being given up.
    """

    state: DeliveryState
    reason: Reason | None = None
    due_at: datetime | None = None
    counts: bool = True


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One attempt as the policy sees it: its number among those that count, the latest moment of use, and what an
    unclear end means. `elsewhere`: another account has not been tried yet in this round, and can be.
    """

    number: int
    at: datetime
    expires_at: datetime | None
    resend_in_doubt: bool
    dice: float
    elsewhere: bool = False


_SENT: Final = Step(DeliveryState.SENT)
#: Microseconds by which a moment may be later than drawn, so that not every delivery waits in a batch of its own.
_GRID: Final = 250_000
#: How long what is paused is put off at a time; whoever resumes it brings it back at once.
_SHORTEST_PAUSE: Final = timedelta(seconds=15)
LONGEST_PAUSE: Final = timedelta(minutes=2)
#: A refused credential or an empty balance is ours to mend: deliveries wait for that rather than fail.
_OUR_FAULT_WAIT: Final = timedelta(minutes=2)


def next_step(outcome: Outcome, attempt: Attempt, policy: RetryPolicy) -> Step:
    """The step that an outcome calls for. Every class of outcome has its answer here, and only here.

    What another account can still do is not waited for, whatever this one asked for.
    """
    match outcome:
        case Accepted():
            return _SENT
        case AddressDead():
            return Step(DeliveryState.FAILED, Reason.ADDRESS_DEAD)
        case Forbidden():
            return Step(DeliveryState.FAILED, Reason.ADDRESS_FORBIDDEN)
        case OptedOut():
            return Step(DeliveryState.FAILED, Reason.PROVIDER_OPT_OUT)
        case ContentBad():
            return Step(DeliveryState.FAILED, Reason.CONTENT_REFUSED)
        case CredentialBad():
            return _again(Reason.CREDENTIAL_REFUSED, attempt, policy, at_least=_OUR_FAULT_WAIT)
        case NoFunds():
            return _again(Reason.NO_FUNDS, attempt, policy, at_least=_OUR_FAULT_WAIT)
        case Throttled(retry_after=seconds):
            return _slower(attempt, policy, at_least=timedelta(seconds=seconds or 1))
        case Transient(retry_after=seconds):
            return _again(Reason.PROVIDER_UNAVAILABLE, attempt, policy, at_least=timedelta(seconds=seconds or 0))
        case Ambiguous() if attempt.resend_in_doubt:
            return _again(Reason.NO_ANSWER, attempt, policy)
        case Ambiguous():
            return Step(DeliveryState.UNCERTAIN, Reason.NO_ANSWER)


def _again(reason: Reason, attempt: Attempt, policy: RetryPolicy, at_least: timedelta = timedelta(0)) -> Step:
    if attempt.number >= policy.max_attempts:
        return Step(DeliveryState.FAILED, Reason.ATTEMPTS_EXHAUSTED)
    due_at = _due_at(attempt, at_least + policy.wait(attempt.number, attempt.dice))
    if attempt.expires_at and due_at >= attempt.expires_at:
        return Step(DeliveryState.EXPIRED, Reason.EXPIRED)
    return Step(DeliveryState.RETRYING, reason, due_at)


def _slower(attempt: Attempt, policy: RetryPolicy, at_least: timedelta) -> Step:
    """Being asked to slow down is no failure: it never uses up an attempt, and only expiry ends it."""
    due_at = _due_at(attempt, at_least + policy.wait(1, attempt.dice))
    if attempt.expires_at and due_at >= attempt.expires_at:
        return Step(DeliveryState.EXPIRED, Reason.EXPIRED)
    return Step(DeliveryState.RETRYING, Reason.THROTTLED, due_at, counts=False)


def _due_at(attempt: Attempt, wait: timedelta) -> datetime:
    """When the next attempt is due: now, if it goes elsewhere; at the beginning of the quarter second, so that those
    which failed together stay together.
    """
    if attempt.elsewhere:
        return attempt.at - timedelta(microseconds=attempt.at.microsecond % _GRID)
    return _on_grid(attempt.at + wait)


def wait_for_turn(reason: Reason, wait: timedelta, attempt: Attempt) -> Step:
    """No account that could serve may be sent to at present: no attempt was made, so none is counted."""
    due_at = _on_grid(attempt.at + wait)
    if attempt.expires_at and due_at >= attempt.expires_at:
        return Step(DeliveryState.EXPIRED, Reason.EXPIRED)
    return Step(DeliveryState.RETRYING, reason, due_at, counts=False)


def wait_for_resumption(paused_at: datetime, attempt: Attempt) -> Step:
    """What it is a part of is paused. The longer that lasts, the more rarely it is looked at: a million that wait are
    not to keep workers busy, and every look counts up the attempts, of which a row has room for 32,767.
    """
    wait = min(max((attempt.at - paused_at) / 4, _SHORTEST_PAUSE), LONGEST_PAUSE)
    return wait_for_turn(Reason.PAUSED, wait, attempt)


def _on_grid(moment: datetime) -> datetime:
    """The end of the quarter of a second in which `moment` lies."""
    return moment + timedelta(microseconds=-moment.microsecond % _GRID)


def no_account(attempt: Attempt, policy: RetryPolicy) -> Step:
    """Nobody serves this queue at present: wait, because an operator can mend that."""
    return _again(Reason.NO_ACCOUNT, attempt, policy, at_least=_OUR_FAULT_WAIT)
