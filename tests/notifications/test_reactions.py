"""News of what people do is handed on exactly if it is new, and with its event or not at all."""

import pytest

from accounts import suppressions
from notifications import receiving
from notifications.ledger import reactions, receipts
from notifications.ledger.reactions import Told
from notifications.models import Delivery, DeliveryEvent, Reaction
from notifications.providers.contract import Receipt
from notifications.timeline import timeline
from notifications.vocabulary import MACHINE, DeliveryState, ReceiptKind
from tests.notifications.logbook import NOW
from tests.notifications.test_ledger_receipts import in_state, news, told

pytestmark = pytest.mark.django_db

K, S = ReceiptKind, DeliveryState
DOINGS = {K.OPENED, K.CLICKED, K.COMPLAINED, K.OPTED_OUT}


@pytest.mark.parametrize("kind", list(ReceiptKind))
def test_what_a_person_did_is_handed_on_and_nothing_else(kind: ReceiptKind) -> None:
    delivery_id = in_state(S.SENT)

    told([news(delivery_id, kind)])

    assert [row.kind for row in Reaction.objects.all()] == ([kind] if kind in DOINGS else [])


def test_news_that_is_told_again_is_not_handed_on_again() -> None:
    delivery_id = in_state(S.SENT)
    one = news(delivery_id, K.CLICKED)

    told([one, one])
    told([one])

    assert reactions.take(10) == [Told(delivery_id, K.CLICKED, NOW)]
    told([one])
    assert reactions.take(10) == []


def test_what_waits_says_nothing_that_a_provider_wrote() -> None:
    delivery_id = in_state(S.SENT)

    told([Receipt(delivery_id, K.OPENED, NOW, f"{MACHINE} kim@people.example's phone", "1")])

    assert Reaction.objects.get().detail == MACHINE
    assert reactions.take(10) == [Told(delivery_id, K.OPENED, NOW, by_machine=True)]


def test_news_whose_event_is_not_kept_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    delivery_id = in_state(S.SENT)
    receipts.keep([news(delivery_id, K.OPTED_OUT)], "twilio-live", NOW)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(suppressions, "suppress_many", killed)
    with pytest.raises(KeyboardInterrupt):
        receiving.apply(clock=lambda: NOW)

    assert not Reaction.objects.exists()
    assert not DeliveryEvent.objects.of(delivery_id).exists()


def test_a_timeline_says_where_a_click_led_and_which_opens_were_a_programs() -> None:
    delivery_id = in_state(S.SENT)
    told(
        [
            Receipt(delivery_id, K.OPENED, NOW, f"{MACHINE} Apple's mail privacy protection", "1"),
            Receipt(delivery_id, K.CLICKED, NOW, "https://shop.example/sale", "2"),
        ]
    )

    lines = {moment.what: moment.detail for moment in timeline(Delivery.objects.get(pk=delivery_id))}

    assert "https://shop.example/sale" in lines["clicked"]
    assert "machine: Apple" in lines["opened"]


def test_more_than_a_few_pieces_of_news_are_handed_on_in_their_order() -> None:
    ids = [in_state(S.SENT) for _ in range(20)]

    told([news(delivery_id, K.OPENED) for delivery_id in ids])

    first, rest = reactions.take(5), reactions.take(100)
    assert sorted(one.delivery_id for one in [*first, *rest]) == sorted(ids)
    assert (len(first), len(rest)) == (5, 15)
