"""A channel's other providers: they send when their account is chosen, and take over where the first one cannot."""

from typing import Final
from uuid import UUID

import pytest

from accounts.channels import Mode
from config.demo import cast
from notifications.models import ProviderAccount, RouteStep
from notifications.routes import routes
from notifications.vocabulary import Lane, Queue
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


def test_in_the_demo_they_take_over_and_may_be_asked_to_twice(providers: Running) -> None:
    cast.with_understudies()
    cast.with_understudies()
    routes.forget()

    order = {
        queue: [outlet.account.name for outlet in routes.directory(queue, "", Mode.LIVE).order(UUID(int=1), "+82")]
        for queue in (Queue.SMS, Queue.EMAIL)
    }

    assert [names[0] for names in order.values()] == ["twilio-live", "sendgrid-live"]
    for provider, lane in SECONDS.items():
        assert f"{provider}-live" in order[lane.queue][1:]
    assert RouteStep.objects.values("route", "account").distinct().count() == RouteStep.objects.count()
