"""What the home page counts: exact, whatever happens to a delivery and whoever adds it up."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts.ids import instant_of
from notifications import recovery
from notifications.ledger import partitions, tally
from notifications.models import Delivery, Tally, TallyNote
from notifications.vocabulary import DeliveryState
from tests.api.shop import DATA, jimin, shop

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

STANDING_OF = {
    "scheduled": "waiting", "queued": "waiting", "sending": "waiting", "retrying": "waiting",
    "sent": "sent", "uncertain": "sent", "delivered": "delivered",
    "failed": "failed", "expired": "failed", "cancelled": "failed", "suppressed": "suppressed",
}  # fmt: skip


def told(count: int) -> None:
    people = [jimin(external_id=f"person-{number}").external_id for number in range(count)]
    answer = shop().post(
        "/v1/notifications", {"template": "restock", "recipients": people, "data": DATA, "channels": ["sms", "email"]}
    )
    assert answer.status_code == 202, answer.content


def counted() -> Counter[tuple[datetime, str, str]]:
    """What the tally says, once all notes are added."""
    recovery.keep_tally()
    assert not TallyNote.objects.exists()
    return Counter({(one.hour, one.channel, one.standing): one.count for one in tally.since(LONG_AGO) if one.count})


def true() -> Counter[tuple[datetime, str, str]]:
    """What the log says."""
    return Counter(
        (instant_of(one.pk).replace(minute=0, second=0, microsecond=0), one.channel, STANDING_OF[one.state])
        for one in Delivery.objects.all()
    )


def test_every_state_has_a_standing() -> None:
    with connection.cursor() as cursor:
        for state in DeliveryState:
            cursor.execute("SELECT notifications_standing_of(%s)", [state.value])
            assert cursor.fetchone() == (STANDING_OF[state.value],)


def test_whatever_happens_to_deliveries_is_counted() -> None:
    told(20)
    assert counted() == true()
    assert sum(true().values()) == 40

    rows = list(Delivery.objects.order_by("id").values_list("id", flat=True))
    for place, state in enumerate(DeliveryState):
        Delivery.objects.filter(id__in=rows[place::11]).update(state=state.value, reason="expired")
        assert counted() == true()
    Delivery.objects.filter(id__in=rows[:7]).delete()
    assert counted() == true()


def test_a_claim_notes_nothing() -> None:
    told(3)
    recovery.keep_tally()

    Delivery.objects.update(state="sending", attempt=1)

    assert not TallyNote.objects.exists()


def test_what_is_rolled_back_does_not_count() -> None:
    told(1)
    before = counted()
    with transaction.atomic():
        Delivery.objects.update(state="sent")
        transaction.set_rollback(True)
    assert counted() == before


def test_rows_that_move_into_their_partition_are_counted_once() -> None:
    day = datetime.now(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS notifications_delivery_p{day:%Y%m%d}")
    told(2)
    before = counted()

    partitions.make("notifications_delivery", day)

    assert sum(before.values()) == 4
    assert counted() == before == true()


def test_counts_of_hours_that_are_gone_are_forgotten() -> None:
    told(1)
    counted()
    tally.forget(datetime.now(UTC) + timedelta(hours=1))
    assert not Tally.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_add_up_at_once_count_nothing_twice() -> None:
    told(30)
    for state in ("sent", "delivered"):
        for pk in Delivery.objects.values_list("pk", flat=True):
            Delivery.objects.filter(pk=pk).update(state=state)

    def fold() -> None:
        while tally.fold(limit=7):
            pass
        connection.close()

    threads = [threading.Thread(target=fold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counted() == true()
