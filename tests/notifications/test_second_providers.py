"""A channel's other providers: they send when their account is chosen, and take over where the first one cannot."""

from typing import Final

import pytest

from notifications.models import ProviderAccount
from notifications.routes import routes
from notifications.vocabulary import Lane
from tests.api.shop import jimin
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

#: Those that wait inactive behind another: config/demo/cast.py.
SECONDS: Final = {"mandrill": Lane.EMAIL, "vonage": Lane.SMS}


def choose(provider: str, rank: int) -> None:
    ProviderAccount.objects.filter(provider=provider).update(is_active=True, rank=rank)
    routes.forget()


@pytest.mark.parametrize(("provider", "lane"), SECONDS.items())
def test_an_account_that_is_chosen_sends(providers: Running, provider: str, lane: Lane) -> None:
    choose(provider, rank=1)
    jimin()
    (delivery,) = accepted(lane.queue)

    dispatched(lane)

    assert (now(delivery).state, now(delivery).account) == ("sent", f"{provider}-live")
    row = providers.row(str(delivery.pk))
    assert (row["provider"], row["accepted"]) == (provider, 1)


@pytest.mark.parametrize(("provider", "lane"), SECONDS.items())
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 503}, "provider_unavailable"),
        ({"mode": "reset"}, "no_answer"),
        ({"status": 401}, "credential_refused"),
    ],
)
def test_its_trouble_is_told_from_an_answer(
    providers: Running, provider: str, lane: Lane, fault: dict[str, object], reason: str
) -> None:
    choose(provider, rank=1)
    jimin()
    (delivery,) = accepted(lane.queue)
    providers.admin("PUT", f"faults/{provider}", fault)

    dispatched(lane)

    assert now(delivery).reason == reason
