"""How provider accounts are, seen together: breakers, buckets, and what they answered of late."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isinf

import structlog
from redis.exceptions import RedisError

from notifications import account_health, breakers, buckets
from notifications.account_health import Health
from notifications.breakers import Opened
from notifications.buckets import Limits, Unit
from notifications.models import ProviderAccount

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """One account. `breaker` is None where it is closed; `is_known` is False while Redis does not answer."""

    health: Health = field(default_factory=Health)
    breaker: Opened | None = None
    fill: dict[Unit, float] = field(default_factory=dict)
    is_known: bool = True

    @property
    def success_percent(self) -> str:
        """The share of good answers, cut and not rounded: 100 means all of them."""
        return f"{int((self.health.success or 0.0) * 1000) / 10:g}"

    @property
    def percent_full(self) -> dict[str, int]:
        """How full the buckets are."""
        return {unit.value: round(share * 100) for unit, share in self.fill.items()}

    @property
    def usual(self) -> str:
        """Within what half of the answers came."""
        return _spelt(self.health.usual)

    @property
    def slow(self) -> str:
        """Within what nearly all of the answers came."""
        return _spelt(self.health.slow)

    @property
    def trouble_at(self) -> datetime:
        """When there was trouble last."""
        return datetime.fromtimestamp(self.health.trouble_at, tz=UTC)


def reports(accounts: Sequence[ProviderAccount]) -> dict[str, Report]:
    """A report on each account, by its name."""
    names = [account.name for account in accounts]
    try:
        health, opened = account_health.of(names), breakers.standing(names)
        return {
            one.name: Report(health[one.name], opened.get(one.name), buckets.fill(one.name, _limits(one)))
            for one in accounts
        }
    except RedisError as error:
        log.warning("health.unread", error=type(error).__name__)
        return {name: Report(is_known=False) for name in names}


def _spelt(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    if isinf(seconds):
        return "more than 10 s"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:g} s"


def _limits(account: ProviderAccount) -> Limits:
    return Limits(account.messages_per_s, account.segments_per_s, account.at_once)
