"""Roll-ups as workers leave them behind, written at once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from campaigns.models import Arm, Run
from notifications.models import Spending, Turnout
from tracking.models import ReactionCount, Revenue


def hour(days_ago: int = 0) -> datetime:
    """An hour of some day."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=days_ago)


def turnout(of: Arm | UUID, count: int, **values: Any) -> None:
    """So many deliveries of an arm, or of a version that nothing bigger sent."""
    usual = {"hour": hour(), "channel": "email", "state": "sent"}
    Turnout.objects.create(**{**usual, **_about(of), "count": count, **values})


def reaction(of: Arm | UUID, kind: str, people: int, **values: Any) -> None:
    """So many people did something."""
    usual = {"hour": hour(), "channel": "email", "kind": kind, "people": people, "times": people}
    ReactionCount.objects.create(**{**usual, **_about(of), **values})


def revenue(of: Arm | UUID, amount: str, currency: str = "KRW", **values: Any) -> None:
    """Conversions were worth so much."""
    usual = {"hour": hour(), "channel": "email", "conversions": 1, "amount": Decimal(amount), "currency": currency}
    Revenue.objects.create(**{**usual, **_about(of), **values})


def spending(of: Arm | UUID, amount: str, currency: str = "USD", **values: Any) -> None:
    """Messages cost so much."""
    usual = {"hour": hour(), "channel": "sms", "messages": 1, "segments": 1, "amount": Decimal(amount)}
    Spending.objects.create(**{**usual, **_about(of), "currency": currency, **values})


def run_of(campaign: Any, people: int = 1000, planned_for: datetime | None = None, **values: Any) -> Run:
    """A run that is over, with an arm for each variant."""
    at = planned_for or timezone.now()
    usual = {"state": "finished", "started_at": at, "frozen_at": at, "finished_at": at, "people": people}
    variants = list(campaign.variants.select_related("template").order_by("letter"))
    shares = {one.letter: one.weight for one in variants}
    run = Run.objects.create(campaign=campaign, planned_for=at, shares=shares, **{**usual, **values})
    for one in variants:
        version = one.template.versions.get()
        Arm.objects.create(
            run=run,
            letter=one.letter,
            template=one.template.name,
            version_id=version.pk,
            people=people // len(variants),
        )
    return run


def _about(of: Arm | UUID) -> dict[str, Any]:
    return {"part_of": of.pk, "version_id": of.version_id} if isinstance(of, Arm) else {"version_id": of}
