"""The cheapest channel, where not only text messages cost something."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.channels import Channel
from accounts.policies import Routing
from notifications.planning.plan import plan
from notifications.planning.prices import Money, Tariff
from notifications.planning.values import DeviceFact, Itinerary, Policy, Send
from tests.planning.examples import IPHONE, NEWS, NOON, facts, person

PUSH, SMS, EMAIL = Channel.PUSH, Channel.SMS, Channel.EMAIL
CHEAPEST = Policy(NEWS, opt_in=False, is_critical=False, itinerary=Itinerary(routing=Routing.CHEAPEST))
SEEN = {"devices": (DeviceFact(IPHONE.id, IPHONE.queue, NOON - timedelta(days=1)),)}


def tariff(push: str, email: str, text: str, currency: str = "USD") -> Tariff:
    return Tariff(Decimal(push), Decimal(email), "USD", {"82": Money(Decimal(text), currency)})


def taken(prices: Tariff, **who: Any) -> list[Channel]:
    decisions = plan(facts(person(**{**SEEN, **who}), policy=CHEAPEST, tariff=prices), NOON).decisions
    return [one.candidate.channel for one in decisions if isinstance(one.verdict, Send)]


@pytest.mark.parametrize(
    ("prices", "who", "channel"),
    [
        (Tariff(), {}, PUSH),
        (tariff("0", "0.001", "0.02"), {}, PUSH),
        (tariff("0.03", "0.001", "0.02"), {}, EMAIL),
        (tariff("0.03", "0.05", "0.02"), {}, SMS),
        (tariff("0.03", "0.05", "0.02"), {"phone": "+12125550006"}, PUSH),  # of unknown price
        (tariff("0.03", "0.05", "20", "KRW"), {}, PUSH),  # in another currency, which is not compared
        (tariff("0.02", "0.02", "0.02"), {}, PUSH),  # of what costs the same the order decides
    ],
)
def test_the_price_decides_and_then_the_order(prices: Tariff, who: dict[str, Any], channel: Channel) -> None:
    assert taken(prices, **who) == [channel]


amounts = st.sampled_from(["0", "0.001", "0.02", "0.5"])


@given(amounts, amounts, amounts, st.sampled_from([{}, {"phone": ""}, {"email": ""}, {"devices": ()}]))
def test_nothing_that_reaches_the_person_is_cheaper(push: str, email: str, text: str, lacks: dict[str, Any]) -> None:
    prices = tariff(push, email, text)
    usual = Policy(NEWS, opt_in=False, is_critical=False)
    who = person(**{**SEEN, **lacks})
    could = [
        one.candidate.channel for one in plan(facts(who, policy=usual), NOON).decisions if isinstance(one.verdict, Send)
    ]

    (channel,) = taken(prices, **lacks)

    assert prices.of(channel, who.phone) == min(prices.of(one, who.phone) for one in could)
