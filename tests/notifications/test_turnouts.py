"""What became of deliveries, by template and by what they are a part of: exact to the row, whatever happens to them.

What any sequence of the ledger's own moves comes to is tried in `test_ledger_machine.py`.
"""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from accounts.channels import Channel
from accounts.ids import new_id
from notifications.ledger import turnouts
from notifications.ledger.turnouts import Turnouts
from notifications.models import Delivery, Notification, Turnout, TurnoutNote, TurnoutState
from notifications.vocabulary import DeliveryState, Reason
from tests.notifications.counting import counted, true
from tests.notifications.logbook import NOW, appended, header

pytestmark = pytest.mark.django_db

BOTH = (Channel.SMS, Channel.EMAIL)


def part(count: int) -> UUID:
    """Something that so many people are sent a text message and an email of."""
    head = header(part_of=new_id())
    appended(count, head=head, channels=BOTH)
    assert head.part_of
    return head.part_of


def test_whatever_happens_to_deliveries_of_parts_and_of_nothing_is_counted() -> None:
    part(5), part(4), appended(3), appended(1)
    assert counted() == true()
    assert sum(true().values()) == 22

    rows = list(Delivery.objects.order_by("id").values_list("id", flat=True))
    for place, state in enumerate(DeliveryState):
        # statements about many notifications, and about one
        for reason in (Reason.BOUNCED, Reason.EXPIRED):
            Delivery.objects.filter(id__in=rows[place % 5 :: 5]).update(state=state.value, reason=reason.value)
            assert counted() == true()
            Delivery.objects.filter(id=rows[place]).update(state="failed", reason=reason.value)
            assert counted() == true()
    Delivery.objects.filter(id__in=rows[:7]).delete()
    assert counted() == true()
    Delivery.objects.filter(id=rows[7]).delete()
    assert counted() == true()


def test_nothing_is_noted_of_what_goes_on_waiting() -> None:
    part(3)
    counted()

    for state in ("sending", "retrying", "queued"):
        Delivery.objects.update(state=state, attempt=1, reason="" if state == "sending" else "throttled")

    assert not TurnoutNote.objects.exists()


def test_a_new_reason_alone_is_counted() -> None:
    one = part(1)
    Delivery.objects.update(state="sent")
    Delivery.objects.filter(channel="sms").update(reason="no_receipt")

    assert counted() == true()
    assert turnouts.of_parts([one]) == [
        Turnouts(one, Channel.EMAIL, TurnoutState.SENT, None, 1),
        Turnouts(one, Channel.SMS, TurnoutState.SENT, Reason.NO_RECEIPT, 1),
    ]


def test_parts_are_told_apart() -> None:
    one, other = part(2), part(3)
    counted()

    assert turnouts.of_parts([one, other, new_id()]) == [
        Turnouts(which, channel, TurnoutState.WAITING, None, count)
        for which, count in sorted([(one, 2), (other, 3)])
        for channel in (Channel.EMAIL, Channel.SMS)
    ]
    assert turnouts.of_parts([]) == []


def test_a_part_is_behind_until_its_own_notes_are_added_up() -> None:
    one, other = part(2), part(3)

    assert turnouts.is_behind([one])
    counted()
    assert not turnouts.is_behind([one, other])
    Delivery.objects.filter(notification__part_of=other).update(state="sent")
    assert (turnouts.is_behind([one]), turnouts.is_behind([one, other]), turnouts.is_behind([])) == (False, True, False)


def test_what_comes_of_a_notification_that_is_gone_is_not_counted_any_more() -> None:
    """Days of the log are dropped one by one: a delivery can outlive its notification by a day."""
    one, other = part(1), part(1)
    before = counted()
    Notification.objects.filter(part_of=one).delete()

    Delivery.objects.filter(channel="sms").update(state="sent")
    Delivery.objects.filter(channel="email").exclude(notification__part_of=other).update(state="sent")

    after = counted()
    assert {kind: count for kind, count in after.items() if kind[2] == one} == {
        kind: count for kind, count in before.items() if kind[2] == one
    }
    assert {kind[4:]: count for kind, count in after.items() if kind[2] == other} == {
        ("waiting", ""): 1,
        ("sent", ""): 1,
    }


def test_turnouts_of_hours_that_are_gone_are_forgotten() -> None:
    part(1)
    counted()
    turnouts.forget(datetime.now(UTC) + timedelta(hours=1))
    assert not Turnout.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_add_up_at_once_count_nothing_twice() -> None:
    for count in (3, 2, 4):
        appended(count, head=header(part_of=new_id()), at=NOW, channels=BOTH)
    for state in ("sent", "delivered"):
        for pk in Delivery.objects.values_list("pk", flat=True):
            Delivery.objects.filter(pk=pk).update(state=state)

    def fold() -> None:
        while turnouts.fold(limit=7):
            pass
        connection.close()

    threads = [threading.Thread(target=fold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counted() == true()
