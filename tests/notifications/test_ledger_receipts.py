"""Late news: in any order, any number of times, before or after our own commit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import suppressions
from accounts.channels import Channel
from accounts.ids import new_id
from accounts.models import SoftBounce, Suppression
from notifications import receiving
from notifications.ledger import receipts
from notifications.models import Delivery, DeliveryEvent, PendingReceipt
from notifications.providers.contract import Receipt
from notifications.vocabulary import DeliveryState, ReceiptKind
from tests.notifications.logbook import NOW, appended

pytestmark = pytest.mark.django_db

K, S = ReceiptKind, DeliveryState
_WHY = {S.UNCERTAIN: "no_answer", S.FAILED: "no_funds", S.EXPIRED: "expired", S.CANCELLED: "cancelled"}


def in_state(state: DeliveryState, channel: Channel = Channel.SMS) -> UUID:
    """A delivery that has come so far."""
    (one,) = appended(1, channels=(channel,))
    reason = _WHY.get(state, "")
    Delivery.objects.filter(pk=one.delivery_ids[0]).update(state=state, reason=reason, attempt=1)
    return one.delivery_ids[0]


def news(delivery_id: UUID, kind: ReceiptKind, ref: str = "", at: datetime = NOW) -> Receipt:
    return Receipt(delivery_id, kind, at, f"they said {kind}", ref or f"ref-{kind}")


def told(found: Sequence[Receipt], at: datetime = NOW) -> None:
    """The provider calls, and a worker applies what it said."""
    receipts.keep(found, "twilio-live", at)
    receiving.apply(clock=lambda: at)


def state_of(delivery_id: UUID) -> str:
    return Delivery.objects.get(pk=delivery_id).state


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (S.SENT, K.DELIVERED, S.DELIVERED),
        (S.SENT, K.BOUNCED, S.FAILED),
        (S.SENT, K.FAILED, S.FAILED),
        (S.SENT, K.BLOCKED, S.FAILED),
        (S.SENT, K.DEFERRED, S.SENT),
        (S.SENT, K.OPENED, S.SENT),
        (S.SENT, K.CLICKED, S.SENT),
        (S.SENT, K.COMPLAINED, S.SENT),
        (S.SENT, K.OPTED_OUT, S.SENT),
        # a receipt settles what nobody knew
        (S.UNCERTAIN, K.DELIVERED, S.DELIVERED),
        (S.UNCERTAIN, K.BOUNCED, S.FAILED),
        (S.UNCERTAIN, K.FAILED, S.FAILED),
        (S.UNCERTAIN, K.OPENED, S.SENT),
        (S.UNCERTAIN, K.DEFERRED, S.SENT),
        # it did arrive, whatever we believed
        (S.FAILED, K.DELIVERED, S.DELIVERED),
        (S.EXPIRED, K.DELIVERED, S.DELIVERED),
        # and what has arrived stays arrived
        (S.DELIVERED, K.BOUNCED, S.DELIVERED),
        (S.DELIVERED, K.FAILED, S.DELIVERED),
        (S.CANCELLED, K.DELIVERED, S.CANCELLED),
    ],
)
def test_what_a_receipt_changes(before: DeliveryState, kind: ReceiptKind, after: DeliveryState) -> None:
    delivery_id = in_state(before)

    told([news(delivery_id, kind)])

    assert state_of(delivery_id) == after
    event = DeliveryEvent.objects.of(delivery_id).get()
    assert (event.kind, event.account, event.detail) == (kind, "twilio-live", f"they said {kind}")


def test_a_failure_says_whether_the_message_came_back() -> None:
    bounced, failed = in_state(S.SENT), in_state(S.SENT)

    told([news(bounced, K.BOUNCED), news(failed, K.FAILED)])

    assert Delivery.objects.get(pk=bounced).reason == "bounced"
    assert Delivery.objects.get(pk=failed).reason == "undelivered"


@pytest.mark.parametrize("order", list(permutations([K.DEFERRED, K.DELIVERED, K.OPENED, K.CLICKED])))
def test_the_order_in_which_receipts_come_makes_no_difference(order: tuple[ReceiptKind, ...]) -> None:
    delivery_id = in_state(S.SENT)

    for kind in order:
        told([news(delivery_id, kind)])

    assert state_of(delivery_id) == S.DELIVERED
    assert DeliveryEvent.objects.of(delivery_id).count() == 4


def test_the_same_receipt_counts_once_however_often_it_comes() -> None:
    delivery_id = in_state(S.SENT)
    one = news(delivery_id, K.DELIVERED)

    told([one, one])
    told([one])

    assert DeliveryEvent.objects.of(delivery_id).count() == 1


def test_two_opens_are_two_events() -> None:
    delivery_id = in_state(S.SENT)

    told([news(delivery_id, K.OPENED, "first"), news(delivery_id, K.OPENED, "second")])

    assert DeliveryEvent.objects.of(delivery_id).count() == 2


def test_a_receipt_that_outran_our_commit_is_applied_once_its_delivery_is_there() -> None:
    early = news(new_id(), K.DELIVERED)
    told([early])
    assert PendingReceipt.objects.get().due_at > NOW

    (one,) = appended(1)
    PendingReceipt.objects.update(delivery_id=one.delivery_ids[0])  # the row that was not there yet
    Delivery.objects.update(state=S.SENT)
    receiving.apply(clock=lambda: NOW + timedelta(seconds=10))

    assert state_of(one.delivery_ids[0]) == S.DELIVERED
    assert not PendingReceipt.objects.exists()


def test_a_receipt_that_outran_the_record_of_its_answer_waits_for_it() -> None:
    delivery_id = in_state(S.SENDING)
    told([news(delivery_id, K.DELIVERED)])
    assert state_of(delivery_id) == S.SENDING

    Delivery.objects.update(state=S.SENT)  # the worker records what the provider answered
    receiving.apply(clock=lambda: NOW + timedelta(seconds=10))

    assert state_of(delivery_id) == S.DELIVERED
    assert DeliveryEvent.objects.of(delivery_id).count() == 1


@pytest.mark.parametrize(("seconds", "is_kept"), [(299, True), (300, False)])
def test_a_receipt_for_nobodys_delivery_is_forgotten_after_five_minutes(seconds: int, *, is_kept: bool) -> None:
    told([news(new_id(), K.DELIVERED)])

    receiving.apply(clock=lambda: NOW + timedelta(seconds=seconds))

    assert PendingReceipt.objects.exists() == is_kept


@pytest.mark.parametrize("age", [timedelta(hours=3), -timedelta(days=3650)])
def test_patience_counts_from_when_we_were_told_however_old_the_news_is(age: timedelta) -> None:
    delivery_id = in_state(S.SENDING)
    told([news(delivery_id, K.DELIVERED, at=NOW - age)])
    assert PendingReceipt.objects.exists()

    receiving.apply(clock=lambda: NOW + timedelta(minutes=5))

    assert not PendingReceipt.objects.exists()


def test_a_receipt_that_cannot_be_heeded_in_full_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    delivery_id = in_state(S.SENT)
    receipts.keep([news(delivery_id, K.OPTED_OUT)], "twilio-live", NOW)
    monkeypatch.setattr(suppressions, "suppress_many", _killed)
    with pytest.raises(KeyboardInterrupt):
        receiving.apply(clock=lambda: NOW)
    monkeypatch.undo()
    assert PendingReceipt.objects.count() == 1
    assert not DeliveryEvent.objects.of(delivery_id).exists()

    receiving.apply(clock=lambda: NOW)

    assert Suppression.objects.get().cause == "stop"


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


#: What may come of one delivery; people open twice.
_NEWS = [(kind, 0) for kind in ReceiptKind] + [(K.OPENED, 1), (K.CLICKED, 1)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from(_NEWS), min_size=1, max_size=8, unique=True).flatmap(
        lambda once: st.lists(st.sampled_from(once), max_size=8).flatmap(lambda again: st.permutations([*once, *again]))
    ),
    st.lists(st.booleans(), min_size=16, max_size=16),
)
def test_neither_order_nor_repetition_nor_cutting_into_batches_makes_a_difference(
    told_in: list[tuple[ReceiptKind, int]], cuts: list[bool]
) -> None:
    Suppression.objects.all().delete()
    SoftBounce.objects.all().delete()
    delivery_id = in_state(S.SENT, Channel.EMAIL)
    batch: list[Receipt] = []
    for (kind, ref), is_cut in zip(told_in, cuts, strict=False):
        batch.append(news(delivery_id, kind, f"{kind}-{ref}"))
        if is_cut:
            told(batch)
            batch = []
    told(batch)

    kinds = {kind for kind, _ in told_in}
    expected = S.DELIVERED if K.DELIVERED in kinds else S.FAILED if kinds & {K.BOUNCED, K.FAILED, K.BLOCKED} else S.SENT
    assert state_of(delivery_id) == expected
    events = DeliveryEvent.objects.of(delivery_id).values_list("kind", flat=True)
    assert sorted(events) == sorted(kind.value for kind, _ in set(told_in))
    causes = {K.BOUNCED: "hard_bounce", K.COMPLAINED: "complaint", K.OPTED_OUT: "stop"}
    assert set(Suppression.objects.values_list("cause", flat=True)) == {causes[kind] for kind in kinds & causes.keys()}


def test_one_strange_receipt_does_not_keep_the_others_from_being_applied() -> None:
    delivery_id = in_state(S.SENT)

    told([news(new_id(), K.DELIVERED), news(delivery_id, K.DELIVERED)])

    assert state_of(delivery_id) == S.DELIVERED


@pytest.mark.parametrize("text", ["a\0b", "x" * 5000, "tab\tnewline\n\\N"])
def test_whatever_a_receipt_says_can_be_kept(text: str) -> None:
    delivery_id = in_state(S.SENT)

    told([Receipt(delivery_id, K.DELIVERED, NOW, text, text)])

    assert state_of(delivery_id) == S.DELIVERED


@pytest.mark.parametrize(
    ("channel", "kind", "cause"),
    [
        (Channel.EMAIL, K.BOUNCED, "hard_bounce"),
        (Channel.EMAIL, K.COMPLAINED, "complaint"),
        (Channel.EMAIL, K.OPTED_OUT, "stop"),
        (Channel.SMS, K.BOUNCED, "hard_bounce"),
        (Channel.SMS, K.OPTED_OUT, "stop"),
        (Channel.EMAIL, K.FAILED, None),
        (Channel.EMAIL, K.DEFERRED, None),
        (Channel.EMAIL, K.DELIVERED, None),
        (Channel.PUSH, K.BOUNCED, None),
    ],
)
def test_some_news_are_about_the_address(channel: Channel, kind: ReceiptKind, cause: str | None) -> None:
    delivery_id = in_state(S.SENT, channel)
    address = Delivery.objects.get(pk=delivery_id).address

    for _ in range(2):
        told([news(delivery_id, kind)])

    assert list(Suppression.objects.values_list("address", "cause")) == ([(address, cause)] if cause else [])
