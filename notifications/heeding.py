"""What answers say besides: which accounts fail, which addresses are dead, who opted out."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog

from accounts import devices
from accounts.channels import Channel
from accounts.suppressions import Actor, Cause, Via, Witness, suppress
from notifications import account_health, drifting
from notifications.account_health import Portion
from notifications.breakers import breakers
from notifications.drifting import Answers
from notifications.ledger.claim import Claimed, Lease
from notifications.ledger.record import Result
from notifications.meters import Meters
from notifications.planning.drift import bound_of
from notifications.planning.retry import Step
from notifications.providers.contract import (
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
from notifications.routes import Outlet, routes
from notifications.vocabulary import CHANNEL_OF, DeliveryState, Reason

log = structlog.get_logger(__name__)

#: What speaks against an account, and not against a message or an address.
_FAILURES: Final = (Transient, Ambiguous, CredentialBad, NoFunds)
#: So many answers of an account, with more than this share of dead addresses, are taken for a mistake.
_MASS: Final = 50
_MASS_SHARE: Final = 0.5
_MASS_WAIT: Final = timedelta(seconds=20)


class Answered(msgspec.Struct, frozen=True, gc=False):
    """What an attempt came to. `outlet` is None where it did not get as far as a provider."""

    claimed: Claimed
    lease: Lease
    outcome: Outcome | None
    result: Result
    outlet: Outlet | None = None
    seconds: float = 0.0


def watched(
    answered: Sequence[Answered], distrust: Callable[[str], None], meters: Meters, at: datetime
) -> Sequence[Answered]:
    """Tell the breakers, and whatever else weights hang on; and take back what cannot be: half of all addresses do not
    die at the same moment.
    """
    by_account: defaultdict[str, list[Answered]] = defaultdict(list)
    for one in answered:
        if one.outlet and one.outcome:
            by_account[one.outlet.account.name].append(one)
    mistaken: set[UUID] = set()
    compared: dict[str, Answers] = {}
    for account, together in by_account.items():
        _note_health(account, together)
        dead = [one for one in together if isinstance(one.outcome, AddressDead)]
        if len(dead) > _MASS_SHARE * len(together) and _is_suspect(account, len(together)):
            mistaken.update(one.claimed.id for one in dead)
            breakers.distrust(account, f"{len(dead)} of {len(together)} addresses were called dead at once", len(dead))
            meters.count("mass_deaths", account)
            distrust(account)
            continue
        bad = sum(isinstance(one.outcome, _FAILURES) for one in together)
        neutral = sum(isinstance(one.outcome, Throttled | Forbidden) for one in together)
        good = len(together) - bad - neutral
        if sum(isinstance(one.outcome, NoFunds) for one in together) > good:
            breakers.exhausted(account)
        else:
            breakers.saw(account, good=good, bad=bad)
        if account in routes.rivals:
            compared[account] = Answers(good, bad, Counter(bound_of(one.seconds) for one in together if one.seconds))
    if compared:
        drifting.saw(compared, routes.rivals)
    return [_taken_back(one, at) if one.claimed.id in mistaken else one for one in answered]


def _is_suspect(account: str, answers: int) -> bool:
    """Whether a majority of dead addresses says more about the account than about them.

    Many of them do; and few do where the breaker is not closed, as with the messages by which it is tried again: their
    addresses would be retired a handful at a time, for as long as the mistake lasts.
    """
    return answers >= _MASS or not breakers.is_closed(account)


def _note_health(account: str, together: Sequence[Answered]) -> None:
    troubles = [one.outcome for one in together if isinstance(one.outcome, (*_FAILURES, Throttled))]
    throttled = sum(isinstance(outcome, Throttled) for outcome in troubles)
    forbidden = sum(isinstance(one.outcome, Forbidden) for one in together)
    portion = Portion(
        good=len(together) - len(troubles) - forbidden,
        bad=len(troubles) - throttled,
        throttled=throttled,
        seconds=[one.seconds for one in together if one.seconds],
        trouble=troubles[-1].detail if troubles else "",
    )
    account_health.saw(account, portion)


def _taken_back(one: Answered, at: datetime) -> Answered:
    step = Step(DeliveryState.RETRYING, Reason.MASS_DEATH, at + _MASS_WAIT, counts=False)
    return msgspec.structs.replace(one, outcome=None, result=msgspec.structs.replace(one.result, step=step))


def bury(dead: Sequence[Answered], at: datetime) -> None:
    """Send nothing more to these addresses.

    A provider that does not say since when a token is dead knew it when it was asked: one that was registered while the
    answer was on its way is another installation's, or the same one's that has come back.
    """
    retired = []
    for one in dead:
        channel = CHANNEL_OF[one.claimed.queue]
        match one.outcome:
            case AddressDead(detail=detail, since=since) if one.claimed.device_id:
                asked_at = one.result.at - timedelta(seconds=one.seconds)
                retired.append((one.claimed.device_id, since or asked_at, detail))
            case AddressDead(detail=detail) if channel is not Channel.PUSH:
                suppress(channel, one.claimed.address, Cause.HARD_BOUNCE, at, _witness(one, detail))
            case _:
                pass
    if retired:
        devices.retire_many(retired, at)


def heed_opt_outs(answered: Iterable[Answered], at: datetime) -> None:
    """Suppress the addresses of those who opted out with the provider."""
    for one in answered:
        channel = CHANNEL_OF[one.claimed.queue]
        if isinstance(one.outcome, OptedOut) and channel is not Channel.PUSH:
            suppress(channel, one.claimed.address, Cause.STOP, at, _witness(one, one.outcome.detail))


def count(one: Answered, meters: Meters) -> None:
    """Count it, and tell operators of what is theirs to mend."""
    account = one.outlet.account.name if one.outlet else ""
    meters.count(one.result.step.state, one.claimed.queue, account, one.result.step.reason or "")
    if one.outlet:
        meters.took(one.seconds, one.outlet.provider.name, account)
    if isinstance(one.outcome, CredentialBad | ContentBad | Forbidden):
        log.error("delivery.refused", delivery=str(one.claimed.id), account=account, detail=one.outcome.detail)


def _witness(one: Answered, detail: str) -> Witness:
    return Witness(Actor.PROVIDER, Via.ANSWER, one.outlet.account.name if one.outlet else "", detail)
