"""Who no longer wants something got something last; that is what it is put down to."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.channels import Channel
from accounts.consent import Choice, choose, refuse
from accounts.ids import floor_of
from accounts.models import Actor, Category, ConsentChange, Recipient, Via
from accounts.replies import Reply, Wish
from accounts.suppressions import Cause, Witness, heed, suppress
from notifications.clock import clock
from notifications.models import Delivery
from tests.at_once import in_threads
from tests.tracking.reacting import counts, engagement, person_of, said, sent, told
from tracking import folding
from tracking.models import Engagement, Place, ReactionCount

pytestmark = pytest.mark.django_db

BY_THEMSELVES = Witness(Actor.RECIPIENT, Via.ONE_CLICK)


def followed(*, minutes: int = 2) -> None:
    folding.fold(clock=lambda: clock.now() + timedelta(minutes=minutes))


def category_of(delivery: Delivery) -> Category:
    return delivery.notification.category


def unsubscribed() -> set[object]:
    return set(Engagement.objects.exclude(unsubscribed_at=None).values_list("pk", flat=True))


def test_a_refusal_is_put_down_to_the_last_message_of_that_category_and_channel() -> None:
    [older], [newer], [_] = sent(1, ago=timedelta(hours=3)), sent(1, ago=timedelta(hours=2)), sent(1)
    [text] = sent(1, Channel.SMS)
    Delivery.objects.update(recipient=older.recipient_id)
    for one in (newer, text):
        type(one.notification).objects.filter(pk=one.notification_id).update(category=category_of(older))

    said_so = Choice(allowed=False, category=category_of(older), channel=Channel.EMAIL)
    choose(person_of(older), [said_so], clock.now(), BY_THEMSELVES)
    followed()

    assert unsubscribed() == {newer.pk}
    assert counts() == {"unsubscribed": (1, 1)}


def test_who_wants_nothing_at_all_is_put_down_to_the_last_message_of_all() -> None:
    [older], [newer] = sent(1, ago=timedelta(hours=2)), sent(1, Channel.SMS)
    Delivery.objects.update(recipient=older.recipient_id)

    choose(person_of(older), [Choice(allowed=False)], clock.now(), BY_THEMSELVES)
    followed()

    assert unsubscribed() == {newer.pk}


@pytest.mark.parametrize("is_known", [True, False])
def test_the_owner_of_an_address_got_what_was_sent_there(*, is_known: bool) -> None:
    mine, _ = sent(2, Channel.SMS)
    if is_known:
        Recipient.objects.filter(pk=person_of(mine).pk).update(phone=mine.address)
    else:
        Delivery.objects.update(recipient=None)

    heed(Reply(mine.address, Wish.STOP, "STOP", clock.now(), "ref-1"), "twilio-live")
    followed()

    assert unsubscribed() == {mine.pk}


def test_a_contact_who_refuses_a_category_is_found_by_their_address() -> None:
    [delivery] = sent()
    Delivery.objects.update(recipient=None)

    refuse(Channel.EMAIL, delivery.address, category_of(delivery), clock.now(), BY_THEMSELVES)
    followed()

    assert unsubscribed() == {delivery.pk}


def test_what_came_more_than_a_week_before_is_not_why() -> None:
    [delivery] = sent(1, ago=timedelta(days=8))

    choose(person_of(delivery), [Choice(allowed=False)], clock.now(), BY_THEMSELVES)
    followed()

    assert counts() == {}


def test_what_was_never_sent_is_not_why() -> None:
    [delivery] = sent()
    Delivery.objects.update(sent_at=None)

    choose(person_of(delivery), [Choice(allowed=False)], clock.now(), BY_THEMSELVES)
    followed()

    assert counts() == {}


@pytest.mark.parametrize(
    ("by", "counted"),
    [
        (BY_THEMSELVES, True),
        (Witness(Actor.APPLICATION, Via.API, "shop"), True),
        (Witness(Actor.ADMIN, Via.ADMIN, "minji"), False),
    ],
)
def test_what_somebody_at_the_admin_does_is_not_the_persons_wish(by: Witness, *, counted: bool) -> None:
    [delivery] = sent()

    choose(person_of(delivery), [Choice(allowed=False)], clock.now(), by)
    followed()

    assert bool(counts()) == counted


@pytest.mark.parametrize(
    ("cause", "via", "counted"),
    [
        (Cause.STOP, Via.ANSWER, True),
        (Cause.STOP, Via.RECEIPT, False),  # which names its delivery, and comes with other reactions
        (Cause.HARD_BOUNCE, Via.ANSWER, False),
        (Cause.COMPLAINT, Via.RECEIPT, False),
    ],
)
def test_only_a_stop_is_an_unsubscribe(cause: Cause, via: Via, *, counted: bool) -> None:
    [delivery] = sent()
    Delivery.objects.update(recipient=None)

    suppress(Channel.EMAIL, delivery.address, cause, clock.now(), Witness(Actor.PROVIDER, via, "mail"))
    followed()

    assert bool(counts()) == counted


def test_what_a_provider_tells_of_a_delivery_counts_once() -> None:
    [delivery] = sent()

    told(said(delivery, "opted_out"))
    followed()

    assert counts() == {"unsubscribed": (1, 1)}


def test_who_wants_it_again_and_then_not_is_one_person() -> None:
    [delivery] = sent()
    for allowed in (False, True, False):
        choose(person_of(delivery), [Choice(allowed=allowed)], clock.now(), BY_THEMSELVES)
    followed()

    assert counts() == {"unsubscribed": (1, 2)}
    assert engagement(delivery).unsubscribed_at


def test_the_last_minute_is_left_for_the_next_time() -> None:
    [delivery] = sent()
    choose(person_of(delivery), [Choice(allowed=False)], clock.now(), BY_THEMSELVES)

    followed(minutes=0)
    assert counts() == {}
    # another's line, whose id was made before and whose transaction is committed only now
    line = ConsentChange.objects.get()
    late = ConsentChange.objects.create(
        id=floor_of(clock.now() - timedelta(seconds=30)), at=line.at, aspect=line.aspect, recipient=line.recipient,
        after="refused", actor="recipient", via="one_click",
    )  # fmt: skip
    followed()

    assert counts() == {"unsubscribed": (1, 2)}
    assert Place.objects.get().read_to == max(line.pk, late.pk)


def test_what_was_read_is_not_read_again() -> None:
    [delivery] = sent()
    choose(person_of(delivery), [Choice(allowed=False)], clock.now(), BY_THEMSELVES)

    followed()
    followed()

    assert counts() == {"unsubscribed": (1, 1)}


@pytest.mark.django_db(transaction=True)
def test_two_who_read_at_once_count_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    deliveries = sent(20)
    for one in deliveries:
        choose(person_of(one), [Choice(allowed=False)], clock.now(), BY_THEMSELVES)
    monkeypatch.setattr(folding, "_LINES", 3)

    works: list[Callable[[], None]] = [followed] * 4
    in_threads(*works)
    followed()

    assert counts() == {"unsubscribed": (20, 20)}
    assert ReactionCount.objects.get().people == 20
