"""What messages cost today, read from the price lists only where that can matter."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.channels import Channel
from accounts.models import Category
from notifications import tariffs
from notifications.models import Delivery, SmsPrice
from tests.api.shop import DATA, jimin, shop
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    tariffs.forget()
    yield
    tariffs.forget()


def test_where_push_and_email_are_free_no_list_is_read(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert not tariffs.current(timezone.now()).texts


def test_a_category_sends_by_what_the_lists_call_cheapest(providers: Running, settings: Settings) -> None:
    settings.PUSH_PRICE, settings.EMAIL_PRICE, settings.PRICE_CURRENCY = Decimal("0.03"), Decimal("0.04"), "USD"
    SmsPrice.objects.create(
        provider="twilio", destination="KR", per_segment="0.02", currency="USD", valid_from=timezone.now().date()
    )
    caller = shop()
    Category.objects.update(routing="cheapest")
    jimin()

    caller.post("/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA})

    assert list(Delivery.objects.filter(state="queued").values_list("channel", flat=True)) == ["sms"]
    prices = tariffs.current(timezone.now())
    assert prices.of(Channel.SMS, "+821012345678") == Decimal("0.020000")
