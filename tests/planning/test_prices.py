"""What a text message costs."""

from datetime import date
from decimal import Decimal

import pytest

from notifications.planning.prices import Money, NoDestination, Price, cost, destination, in_force


def money(amount: str, currency: str = "USD") -> Money:
    return Money(Decimal(amount), currency)


TABLE = {
    "1": money("0.0079"),
    "CA": money("0.0083"),
    "1604": money("0.0100"),
    "82": money("0.03"),
    "KR": money("0.025"),
    "8210": money("0.02"),
    "GB": money("0.04", "GBP"),
}


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("+15005550006", "0.0079"),  # of no known range
        ("+14165550006", "0.0083"),  # Toronto
        ("+16045550006", "0.0100"),  # Vancouver, named by its prefix
        ("+12125550006", "0.0079"),  # New York
        ("+821012345678", "0.02"),
        ("+82212345678", "0.025"),
    ],
)
def test_the_longest_prefix_wins_and_a_country_counts_more_than_its_calling_code(to: str, expected: str) -> None:
    assert cost(1, to, TABLE) == money(expected)


@pytest.mark.parametrize("to", ["+33612345678", "", "nonsense", "+", "+4"])
def test_where_no_price_is_known_none_is_made_up(to: str) -> None:
    assert cost(1, to, TABLE) is None
    assert cost(1, to, {}) is None


def test_every_part_is_paid_for() -> None:
    assert cost(3, "+447700900123", TABLE) == money("0.12", "GBP")
    assert str(cost(3, "+447700900123", TABLE)) == "0.12 GBP"
    assert str(money("10")) == "10 USD"


def test_of_several_prices_the_latest_that_is_valid_counts() -> None:
    prices = [
        Price("82", money("0.04"), date(2026, 6, 1)),
        Price("82", money("0.03"), date(2026, 1, 1)),
        Price("82", money("0.05"), date(2027, 1, 1)),
    ]
    assert in_force(prices, date(2025, 12, 31)) == {}
    assert in_force(prices, date(2026, 5, 31)) == {"82": money("0.03")}
    assert in_force(prices, date(2026, 6, 1)) == {"82": money("0.04")}


@pytest.mark.parametrize(
    ("text", "expected"), [("KR", "KR"), (" kr ", "KR"), ("+82", "82"), ("0082", "82"), ("82 10", "8210"), ("1", "1")]
)
def test_a_destination_has_one_normal_form(text: str, expected: str) -> None:
    assert destination(text) == expected


@pytest.mark.parametrize("text", ["", "Korea", "XX", "+", "0", "1" * 16, "８２", "-1"])
def test_what_is_no_destination_is_refused(text: str) -> None:
    with pytest.raises(NoDestination, match="neither a country"):
        destination(text)
