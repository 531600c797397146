"""A channel's other providers: they send when their account is chosen, and take over where the first one cannot."""

from collections import Counter
from typing import Final
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.channels import Mode
from accounts.models import Recipient, Suppression
from config.demo import cast
from notifications.models import ProviderAccount, RouteStep
from notifications.routes import routes
from notifications.vocabulary import Lane, Queue
from tests.api.shop import jimin
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

#: Those that wait inactive behind another: config/demo/cast.py.
SECONDS: Final = {"mandrill": Lane.EMAIL, "vonage": Lane.SMS, "smtp": Lane.EMAIL}
#: How each says that it is away, and that it does not know us.
AWAY: Final = {"mandrill": 503, "vonage": 503, "smtp": 451}
UNKNOWN: Final = {"mandrill": 401, "vonage": 401, "smtp": 535}


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
        ({"status": AWAY}, "provider_unavailable"),
        ({"mode": "reset"}, "no_answer"),
        ({"status": UNKNOWN}, "credential_refused"),
    ],
)
def test_its_trouble_is_told_from_an_answer(
    providers: Running, provider: str, lane: Lane, fault: dict[str, str | dict[str, int]], reason: str
) -> None:
    choose(provider, rank=1)
    jimin()
    (delivery,) = accepted(lane.queue)
    theirs = {key: value if isinstance(value, str) else value[provider] for key, value in fault.items()}
    providers.admin("PUT", f"faults/{provider}", theirs)

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


@pytest.mark.parametrize(
    ("address", "state", "reason", "suppressed"),
    [
        ("gone@rcpt-550-5-1-1.example", "failed", "address_dead", True),
        ("gone@data-550-5-1-1.example", "failed", "address_dead", True),
        ("full@rcpt-552-5-2-2.example", "retrying", "provider_unavailable", False),
        ("grey@greylisted.example", "retrying", "provider_unavailable", False),
        ("policy@rcpt-550-5-7-1.example", "failed", "content_refused", False),
        ("old@rcpt-550.example", "failed", "content_refused", False),
        ("lost@reset.example", "retrying", "no_answer", False),
        ("early@dropped.example", "retrying", "provider_unavailable", False),
    ],
)
def test_what_a_mail_server_replies_decides_over_mail_and_address(
    providers: Running, address: str, state: str, reason: str, suppressed: bool
) -> None:
    choose("smtp", rank=1)
    jimin()
    Recipient.objects.filter(external_id="jimin").update(email=address)
    (delivery,) = accepted("email")

    dispatched(Lane.EMAIL)

    assert (now(delivery).state, now(delivery).reason) == (state, reason)
    assert Suppression.objects.exists() == suppressed


def test_one_claim_may_go_by_mail_servers_and_by_requests(providers: Running) -> None:
    ProviderAccount.objects.filter(name="smtp-live").update(is_active=True, rank=1, messages_per_s=1)
    routes.forget()
    jimin()
    deliveries = [accepted("email")[0] for _ in range(4)]

    dispatched(Lane.EMAIL)

    assert {now(delivery).state for delivery in deliveries} == {"sent"}
    assert {now(delivery).account for delivery in deliveries} == {"smtp-live", "sendgrid-live"}


def test_what_a_slow_server_leaves_no_time_for_is_given_back_and_never_sent_twice(
    providers: Running, settings: Settings
) -> None:
    settings.LEASE_SECONDS, settings.PROVIDER_SECONDS = 3, 1.5
    choose("smtp", rank=1)
    ProviderAccount.objects.filter(name="smtp-live").update(at_once=1)
    routes.forget()
    jimin()
    deliveries = [accepted("email")[0] for _ in range(8)]
    providers.admin("PUT", "faults/smtp", {"latency_ms": 400})

    dispatched(Lane.EMAIL)

    states = Counter((now(delivery).state, now(delivery).failures) for delivery in deliveries)
    assert set(states) == {("sent", 0), ("queued", 0)}
    assert {
        providers.row(str(delivery.pk))["accepted"] for delivery in deliveries if now(delivery).state == "sent"
    } == {1}
