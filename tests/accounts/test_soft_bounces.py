"""Mail that comes back for a passing reason: many times in a row is too much, a delivery begins anew."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import soft_bounces
from accounts.models import Actor, ConsentChange, SoftBounce, Suppression, Via
from accounts.soft_bounces import Bounce
from accounts.suppressions import Witness

pytestmark = pytest.mark.django_db

ADDRESS = "full@people.example"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def bounced(at: datetime, address: str = ADDRESS) -> int:
    by = Witness(Actor.PROVIDER, Via.RECEIPT, "mandrill-live", "mailbox full")
    return soft_bounces.heed([Bounce(address, at, by)], [], at)


def delivered(at: datetime, address: str = ADDRESS) -> None:
    soft_bounces.heed([], [(address, at)], at)


def test_the_fifth_in_a_row_suppresses_and_says_why() -> None:
    assert [bounced(NOW + number * DAY) for number in range(5)] == [0, 0, 0, 0, 1]
    row = Suppression.objects.get()
    assert (row.channel, row.address, row.cause) == ("email", ADDRESS, "soft_bounce")
    assert row.detail == "5 soft bounces in 30 days, the last: mailbox full"
    assert ConsentChange.objects.get().actor_name == "mandrill-live"
    assert not SoftBounce.objects.exists()


def test_a_delivery_begins_anew() -> None:
    for number in range(4):
        bounced(NOW + number * DAY)
    delivered(NOW + 4 * DAY)
    assert [bounced(NOW + (5 + number) * DAY) for number in range(5)] == [0, 0, 0, 0, 1]


def test_what_came_back_long_ago_counts_no_more() -> None:
    assert [bounced(NOW + number * 8 * DAY) for number in range(12)] == [0] * 12


def test_within_one_round_the_order_is_that_of_the_clock() -> None:
    by = Witness(Actor.PROVIDER, Via.RECEIPT)
    many = [Bounce(ADDRESS, NOW + timedelta(minutes=number), by) for number in range(6)]
    assert soft_bounces.heed(many, [(ADDRESS, NOW + timedelta(minutes=2))], NOW + DAY) == 0
    assert len(SoftBounce.objects.get().times) == 3
    assert soft_bounces.heed(many[-2:], [("other@people.example", NOW)], NOW + DAY) == 1


def test_addresses_are_counted_apart() -> None:
    assert sum(bounced(NOW, f"{number}@people.example") for number in range(20)) == 0


@pytest.mark.parametrize(("most", "expected"), [(0, 0), (1, 1), (2, 0)])
def test_how_many_are_too_much_is_a_setting(most: int, expected: int) -> None:
    with override_settings(SOFT_BOUNCES=most):
        assert bounced(NOW) == expected


def test_what_counts_no_more_is_forgotten() -> None:
    bounced(NOW)
    bounced(NOW + 20 * DAY, "later@people.example")
    soft_bounces.forget(NOW + 31 * DAY)
    assert SoftBounce.objects.get().address == "later@people.example"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=25))
def test_never_suppressed_but_after_five_in_thirty_days_with_no_delivery_between(
    story: list[tuple[bool, int]],
) -> None:
    SoftBounce.objects.all().delete()
    Suppression.objects.all().delete()
    at, row, expected = NOW, list[datetime](), 0
    for is_bounce, hours in story:
        at += timedelta(hours=hours * 6 + 1)
        if is_bounce:
            bounced(at)
            row = [moment for moment in row if moment > at - 30 * DAY] + [at]
            if len(row) >= 5:
                expected, row = 1, []
        else:
            delivered(at)
            row = []
    assert Suppression.objects.count() == expected
