"""Campaigns for tests, and their runs worked off as workers would."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Recipient
from campaigns import launching
from campaigns.models import Campaign, Run, Sample, Segment, Variant
from campaigns.vocabulary import CampaignState
from notifications.models import Delivery
from notifications.models.turnouts import Turnout
from templates_app.content import RawContent
from tests.builders import application, published
from tracking.models import ReactionCount, ReactionKind

#: Says one thing in Korean and English, by push and email, without asking for anything.
SALE: RawContent = {
    "push": {"ko": {"title": "세일", "body": "시작했어요."}, "en": {"title": "Sale", "body": "It has begun."}},
    "email": {
        "ko": {"subject": "세일", "html": '<p><a href="https://shop.example.com/sale">세일</a></p>'},
        "en": {"subject": "Sale", "html": '<p><a href="https://shop.example.com/sale">Sale</a></p>'},
    },
}


def crowd(number: int, prefix: str = "p", **values: Any) -> list[Recipient]:
    """People with an email address each."""
    return Recipient.objects.bulk_create(
        [
            Recipient(external_id=f"{prefix}{one}", email=f"{prefix}{one}@example.com", locale="ko", **values)
            for one in range(number)
        ]
    )


def segment(name: str = "everybody", rules: dict[str, Any] | None = None) -> Segment:
    """Whoever meets some rules; with none, everybody."""
    return Segment.objects.create(name=name, rules=rules or {})


def campaign(*templates: str, **values: Any) -> Campaign:
    """One that is active, for everybody, by email, with a variant for each template."""
    values.setdefault("segment", Segment.objects.filter(name="everybody").first() or segment())
    usual = {"name": f"campaign {timezone.now().isoformat()}", "channels": ["email"], "state": CampaignState.ACTIVE}
    made = Campaign.objects.create(**{"application": application(), **usual, **values})
    for letter, name in zip("ABCDEF", templates or ("sale",), strict=False):
        version = published(name, SALE)
        Variant.objects.create(campaign=made, letter=letter, template=version.template)
    return made


def begun(of: Campaign, at: datetime | None = None) -> Run:
    """A run of a campaign that has just begun. Who came in the last second belongs to it."""
    at = at or timezone.now() + timedelta(seconds=1)
    run = Run.objects.create(campaign=of, planned_for=at)
    launching.begin(run, at)
    run.refresh_from_db()
    return run


def worked_off(at: datetime | None = None, *, turns: int = 200) -> int:
    """Turns of a planner until nothing is left to do now; says for how many people."""
    at = at or timezone.now() + timedelta(seconds=1)
    total = idle = 0
    for _ in range(turns):
        done = launching.go_on(clock=lambda: at)
        total += done
        idle = 0 if done else idle + 1
        if idle > 1:
            return total
    return total


def deliveries(run: Run) -> Sequence[Delivery]:
    """All that were planned for a run."""
    ids = run.arms.exclude(notification_id=None).values_list("notification_id", flat=True)
    return list(Delivery.objects.filter(notification_id__in=list(ids)).order_by("id"))


def got(run: Run) -> Counter[UUID | None]:
    """How many deliveries each person has."""
    return Counter(one.recipient_id for one in deliveries(run))


def counted(run: Run, letter: str, **counts: int) -> None:
    """What became of one arm, as the roll-ups have it: `sent`, `delivered`, `failed`, `suppressed`, `clicked` …"""
    arm = run.arms.get(letter=letter)
    hour = run.planned_for.replace(minute=0, second=0, microsecond=0)
    known = {"hour": hour, "version_id": arm.version_id, "part_of": arm.id, "channel": "email"}
    for name, count in counts.items():
        if name in list(ReactionKind):
            ReactionCount.objects.create(**known, kind=name, people=count, times=count)
        else:
            reason = "opted_out" if name == "suppressed" else ""
            Turnout.objects.create(**known, state=name, reason=reason, count=count)


def sampled(run: Run, number: int = 60) -> None:
    """A run that has been watched for a while."""
    began = run.started_at or run.planned_for
    Sample.objects.bulk_create(
        Sample(
            run=run,
            at=began + timedelta(seconds=5 * one),
            counts={"planned": 90 * one, "sent": 80 * one, "delivered": 75 * one, "failed": one, "clicked": 9 * one},
        )
        for one in range(number)
    )
