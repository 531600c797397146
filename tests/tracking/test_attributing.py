"""A conversion finds its click though the click is told after it, or at the same moment."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from accounts.channels import Mode
from accounts.models import Application
from notifications.models import Delivery, Notification
from tests.at_once import in_threads
from tests.tracking.reacting import NOW, clicked, counts, earned, engagement, said, sent, told
from tracking import converting, folding
from tracking.attributing import LOOK_AGAIN
from tracking.converting import Kept, Teller, Told
from tracking.models import Conversion

pytestmark = pytest.mark.django_db


def converted(delivery: Delivery, at: datetime = NOW, ref: str = "order") -> Kept:
    """The owner of the message tells of a conversion of whoever got it."""
    Notification.objects.filter(pk=delivery.notification_id).update(application_id=Application.objects.all()[0].pk)
    one = Told(ref, "purchase", delivery.pk, value=Decimal(5), currency="USD", at=at)
    [answer] = converting.tell([one], Teller(Application.objects.all()[0].pk, Mode.LIVE), at)
    assert isinstance(answer, Kept)
    return answer


def put_down_to(answer: Kept) -> UUID | None:
    return Conversion.objects.get(pk=answer.id).attributed_to


@pytest.mark.parametrize("has_an_id", [True, False])
def test_a_click_that_is_told_late_is_why(*, has_an_id: bool) -> None:
    [delivery] = sent()
    if not has_an_id:
        Delivery.objects.update(recipient=None)
    answer = converted(delivery)
    folding.fold(clock=lambda: NOW + 2 * LOOK_AGAIN)
    assert (answer.attributed_to, put_down_to(answer)) == (None, None)

    clicked(delivery, NOW - timedelta(minutes=20))

    assert put_down_to(answer) == delivery.pk
    assert counts() == {"clicked": (1, 1), "converted": (1, 1)}
    assert earned() == {"USD": (1, Decimal(5))}
    assert engagement(delivery).converted_at == NOW
    assert Conversion.objects.get().look_again_at is None


@pytest.mark.parametrize("late", [timedelta(minutes=5), -timedelta(days=8)])
def test_a_click_that_is_told_late_and_was_after_it_or_too_long_before_is_not_why(late: timedelta) -> None:
    [delivery] = sent()
    answer = converted(delivery)

    clicked(delivery, NOW + late)

    assert put_down_to(answer) is None


def test_what_is_put_down_to_a_click_stays_so() -> None:
    first, second = sent(2)
    Delivery.objects.filter(pk=second.pk).update(recipient=first.recipient_id)
    clicked(first, NOW - timedelta(minutes=20))
    answer = converted(first)

    clicked(second, NOW - timedelta(minutes=10))

    assert put_down_to(answer) == first.pk
    assert counts()["converted"] == (1, 1)


def test_a_click_that_was_being_counted_when_it_came_is_found_a_minute_later() -> None:
    [delivery] = sent()
    answer = converted(delivery)
    told(said(delivery, "clicked", NOW - timedelta(minutes=1)), fold=False)
    # as if the worker had looked for conversions just before this one was committed
    Conversion.objects.update(attributed_to=None, look_again_at=NOW + LOOK_AGAIN, at=NOW - timedelta(days=30))
    folding.fold(clock=lambda: NOW)
    Conversion.objects.update(at=NOW)
    assert put_down_to(answer) is None

    folding.fold(clock=lambda: NOW + LOOK_AGAIN)

    assert put_down_to(answer) == delivery.pk


def test_what_was_looked_at_twice_in_vain_is_left_alone() -> None:
    [delivery] = sent()
    converted(delivery)

    folding.fold(clock=lambda: NOW + LOOK_AGAIN)

    assert Conversion.objects.get().look_again_at is None


@pytest.mark.django_db(transaction=True)
def test_clicks_and_conversions_at_the_same_moment_find_each_other() -> None:
    deliveries = sent(30)
    told(*[said(one, "clicked", NOW - timedelta(minutes=1)) for one in deliveries], fold=False)

    def convert(those: list[Delivery]) -> Callable[[], object]:
        return lambda: [converted(one, ref=f"order-{one.pk}") for one in those]

    def fold() -> object:
        return folding.fold(clock=lambda: NOW)

    in_threads(convert(list(deliveries[::2])), convert(list(deliveries[::-2])), fold, fold)
    folding.fold(clock=lambda: NOW + LOOK_AGAIN)

    assert Conversion.objects.exclude(attributed_to=None).count() == 30
    assert counts() == {"clicked": (30, 30), "converted": (30, 30)}
    assert earned() == {"USD": (30, Decimal(150))}


@pytest.mark.django_db(transaction=True)
def test_the_same_conversion_told_by_several_at_once_counts_once() -> None:
    deliveries = sent(8)
    for one in deliveries:
        clicked(one, NOW - timedelta(minutes=1))
    application = Application.objects.all()[0].pk
    Notification.objects.update(application_id=application)
    told_in = [Told(f"order-{one.pk}", "purchase", one.pk, at=NOW) for one in deliveries]

    def tell(those: list[Told]) -> Callable[[], object]:
        return lambda: converting.tell(those, Teller(application, Mode.LIVE), NOW)

    in_threads(tell(told_in), tell(told_in[::-1]), tell(told_in), tell(told_in[::-1]))

    assert counts()["converted"] == (8, 8)
    assert Conversion.objects.count() == 8
