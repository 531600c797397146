"""Workers take as much as they ask for, also from a table of which PostgreSQL believes that it is nearly empty.

An outbox is empty most of the time, and analysed then. For a table that was full of dead rows the planner expects one
row, whatever its size, and runs a subquery for each that it finds.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from accounts.ids import new_id
from campaigns import freezing
from campaigns.models import Campaign, Run
from notifications.ledger import audiences, receipts
from notifications.models import Audience, PendingReceipt
from notifications.providers.contract import Receipt
from notifications.vocabulary import ReceiptKind
from tests.api.shop import DATA, Shop, jimin, shop
from tests.campaigns.stage import begun, campaign, crowd

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


def emptied_and_analysed(model: type[Model], fill: Callable[[], object]) -> None:
    """Some rows came and went, and the table was analysed before they were swept up."""
    for _ in range(20):
        fill()
    model._default_manager.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")


def test_one_run_is_taken_to_be_frozen() -> None:
    crowd(3)
    at = timezone.now() + timedelta(seconds=2)
    kept: list[Campaign] = [campaign("sale"), campaign("outlet")]
    emptied_and_analysed(Run, lambda: Run.objects.create(campaign=kept[0], planned_for=timezone.now()))
    for one in kept:
        begun(one)

    assert freezing.take(at, lease_for=LEASE) is not None

    assert Run.objects.exclude(lease_id=None).count() == 1


def test_one_audience_is_taken_to_be_walked() -> None:
    jimin()
    caller = shop()
    emptied_and_analysed(Audience, lambda: announced(caller))
    announced(caller)
    announced(caller)

    assert audiences.take(timezone.now(), lease_for=LEASE) is not None

    assert Audience.objects.exclude(lease_id=None).count() == 1


def test_as_many_receipts_are_taken_as_one_transaction_is_to_hold() -> None:
    emptied_and_analysed(PendingReceipt, received)
    for _ in range(5):
        received()

    assert receipts.apply(timezone.now(), limit=2).taken == 2


def announced(caller: Shop) -> None:
    body = {"template": "restock", "audience": {}, "data": DATA, "channels": ["sms"]}
    assert caller.post("/v1/notifications", body).status_code == 202


def received() -> None:
    at = timezone.now()
    receipts.keep([Receipt(new_id(), ReceiptKind.DELIVERED, at, event_ref="known")], "twilio-live", at)
