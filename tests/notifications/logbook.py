"""A log to try the ledger on: rows as intake would write them, without intake."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.channels import Channel, Mode
from accounts.ids import new_id
from accounts.models import Application, Category, Device, Recipient
from notifications.ledger.append import Appended, Header, append
from notifications.models import Delivery
from notifications.planning.plan import plan
from notifications.planning.values import DeviceFact, Facts, Person, Policy
from notifications.vocabulary import DeliveryState, Lane, Queue, Urgency
from templates_app.models import Template, TemplateVersion, VersionState

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def header(*, in_doubt: str = "resend", **changes: Any) -> Header:
    """A notification that could be real: its application, category and version exist."""
    category = Category.objects.create(slug=f"news-{new_id()}", name="News", in_doubt=in_doubt)
    template = Template.objects.create(name=f"t-{new_id()}", title="T", category=category)
    version = TemplateVersion.objects.create(
        template=template, number=1, content={}, state=VersionState.PUBLISHED, published_at=NOW
    )
    usual: dict[str, Any] = {
        "id": new_id(),
        "application_id": Application.objects.create(name=f"shop-{new_id()}").id,
        "version_id": version.id,
        "category_id": category.id,
        "mode": Mode.LIVE,
        "urgency": Urgency.NORMAL,
        "data": {"name": "지민"},
    }
    return Header(**{**usual, **changes})


def people(count: int, *, devices: int = 0) -> tuple[Person, ...]:
    """Recipients with a phone, an email and some iPhones each, as planning sees them."""
    found = []
    for number in range(count):
        row = Recipient.objects.create(external_id=f"p-{new_id()}")
        tokens = [
            Device.objects.create(recipient=row, platform="ios", service="apns", token=f"{new_id().hex}{position:032x}")
            for position in range(devices)
        ]
        found.append(
            Person(
                ref=row.external_id,
                recipient_id=row.id,
                email=f"p{number}@example.com",
                phone=f"+8210{number:08d}",
                devices=tuple(DeviceFact(token.id, Queue.IOS) for token in tokens),
            )
        )
    return tuple(found)


def appended(
    count: int = 3, *, channels: Sequence[Channel] = (Channel.SMS,), head: Header | None = None, at: datetime = NOW
) -> Sequence[Appended]:
    """`count` people's deliveries in the log, due at once."""
    facts = Facts(
        policy=Policy(new_id(), opt_in=False, is_critical=False),
        channels=tuple(channels),
        people=people(count, devices=1 if Channel.PUSH in channels else 0),
        suppressed=frozenset(),
        locale_for=lambda _channel, _locale: "ko",
        send_at=head.send_at if head else None,
    )
    written, _ = append(head or header(), plan(facts, at), at)
    return written


def states() -> dict[UUID, DeliveryState]:
    """Every delivery's state."""
    return {row: DeliveryState(state) for row, state in Delivery.objects.values_list("id", "state")}


SMS = Lane.SMS
