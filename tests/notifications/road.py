"""The whole road in a test: a request to the API, then a worker's turn at each lane that has something due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from notifications import dispatching
from notifications.dispatching import Dispatched
from notifications.ledger.sweep import depths
from notifications.models import Delivery, DeliveryEvent
from notifications.vocabulary import Lane
from tests.api.shop import DATA, Shop, shop

#: Lanes that a person with everything is reached by.
EVERYWHERE = (Lane.IOS, Lane.ANDROID, Lane.SMS, Lane.EMAIL)


def accepted(*channels: str, by: Shop | None = None, **changes: Any) -> list[Delivery]:
    """Deliveries to "jimin", or to whom `changes` say, which wait in their lanes."""
    body = {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": list(channels)} | changes
    answer = (by or shop()).post("/v1/notifications", body)
    assert answer.status_code == 202, answer.content
    return list(Delivery.objects.filter(notification_id=answer.json()["id"]).order_by("id"))


def dispatched(lane: Lane, at: datetime | None = None) -> Dispatched:
    """One worker's turn at a lane, at a moment that stands still."""
    moment = at or timezone.now()
    return dispatching.dispatch(lane, clock=lambda: moment)


def dispatched_all(at: datetime | None = None) -> Sequence[Lane]:
    """A turn at every lane in which something is due; which these were."""
    moment = at or timezone.now()
    due = [depth.lane for depth in depths(moment + timedelta(milliseconds=1))]
    for lane in due:
        dispatched(lane, moment)
    return due


def now(delivery: Delivery) -> Delivery:
    """The delivery as it stands in the log."""
    return Delivery.objects.get(pk=delivery.pk)


def last_event(delivery: Delivery) -> DeliveryEvent:
    """What the log says about its latest attempt."""
    return DeliveryEvent.objects.of(delivery.pk).latest("attempt", "at")
