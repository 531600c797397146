"""Every email that may be refused carries the way to refuse it, texts link to it, and what was refused stays away."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Category, Refusal
from notifications.models import Delivery, ProviderAccount
from notifications.routes import routes
from notifications.text_costs import cost_of
from notifications.vocabulary import Lane
from templates_app import catalogue, publishing
from templates_app.models import Template
from tests.api.shop import RESTOCK, jimin, shop
from tests.notifications.road import accepted, dispatched, last_event, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
LINKED = {
    **RESTOCK,
    "sms": {"ko": {"body": "{{ product_name }} 재입고. 무료수신거부 {{ optout_url }}"}},
    "email": {
        "ko": {
            "subject": "재입고",
            "html": '<a href="{{ unsubscribe_url }}">수신 거부</a> <a href="{{ preferences_url }}">알림 설정</a>',
            "text": "{{ unsubscribe_url }}",
        }
    },
}


def linked() -> None:
    """The shop's template says how to refuse it."""
    shop()
    owner = Template.objects.get(name="restock")
    publishing.publish(publishing.create_draft(owner, publishing.Draft(LINKED)), timezone.now())
    catalogue.forget()


def by_account(provider: str) -> None:
    ProviderAccount.objects.filter(provider=provider).update(is_active=True, rank=1)
    routes.forget()


def body_of(providers: Running, delivery: Delivery) -> str:
    (attempt,) = providers.row(str(delivery.pk))["attempts"]
    return str(attempt["body"])


def unfolded(body: str, provider: str) -> dict[str, str]:
    """The headers of a mail as a provider got them."""
    if provider == "smtp":
        head = body.replace("\r\n", "\n").partition("\n\n")[0].replace("\n ", " ")
        return dict(line.split(": ", 1) for line in head.split("\n"))
    sent: Any = json.loads(body)
    headers: dict[str, str] = (sent["message"] if provider == "mandrill" else sent)["headers"]
    return headers


@pytest.mark.parametrize("provider", ["sendgrid", "mandrill", "smtp"])
def test_every_email_can_be_unsubscribed_from_with_one_click(providers: Running, provider: str) -> None:
    by_account(provider)
    jimin()
    (delivery,) = accepted("email")
    dispatched(Lane.EMAIL)
    assert now(delivery).state == "sent"

    headers = unfolded(body_of(providers, delivery), provider)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(r"<(http://localhost:8000/u/[\w.-]+)>", headers["List-Unsubscribe"])
    assert address
    path = urlsplit(address[1]).path
    assert Client().get(path).status_code == 200
    assert accepted("email")[0].state == "queued"

    assert Client().post(path, ONE_CLICK).status_code == 200

    (after,) = accepted("email")
    assert (after.state, after.reason) == ("suppressed", "opted_out")


@pytest.mark.parametrize("provider", ["sendgrid", "mandrill", "smtp"])
def test_a_critical_email_offers_no_way_out(providers: Running, provider: str) -> None:
    by_account(provider)
    jimin()
    shop()
    Category.objects.update(is_critical=True)
    (delivery,) = accepted("email")
    dispatched(Lane.EMAIL)
    assert "List-Unsubscribe" not in unfolded(body_of(providers, delivery), provider)


def test_a_crawler_that_follows_every_link_of_an_email_unsubscribes_nobody(providers: Running) -> None:
    linked()
    jimin()
    (delivery,) = accepted("email")
    dispatched(Lane.EMAIL)
    mail = json.loads(body_of(providers, delivery))
    everything = " ".join([*(part["value"] for part in mail["content"]), *mail["headers"].values()])
    found = set(re.findall(r"http://localhost:8000(/[\w./-]+)", everything))
    assert {path[:3] for path in found} == {"/u/", "/p/", "/e/"}

    for path in found:
        assert Client().head(path).status_code == 200
        assert Client().get(path).status_code == 200

    assert accepted("email")[0].state == "queued"


def test_each_of_many_gets_links_of_their_own(providers: Running) -> None:
    linked()
    for name in ("jimin", "minsu"):
        jimin(external_id=name, email=f"{name}@example.com", phone="")
    deliveries = accepted("email", recipients=["jimin", "minsu", {"email": "kim@example.com"}])
    dispatched(Lane.EMAIL)
    bodies = [json.loads(body_of(providers, delivery))["content"][0]["value"] for delivery in deliveries]
    assert len(set(bodies)) == 3


def test_a_text_message_has_a_short_link_that_works_for_contacts_too(providers: Running) -> None:
    linked()
    (delivery,) = accepted("sms", recipients=[{"phone": "+821012345678", "locale": "ko"}])
    dispatched(Lane.SMS)
    text = parse_qs(body_of(providers, delivery))["Body"][0]
    found = re.search(r"http://localhost:8000(/o/[0-9A-Za-z]{12})$", text)
    assert found
    cost = cost_of(now(delivery))
    assert cost is not None
    assert cost.segments == 1

    Client().post(found[1], {"form": "unsubscribe"})

    (after,) = accepted("sms", recipients=[{"phone": "+821012345678", "locale": "ko"}])
    assert (after.state, after.reason) == ("suppressed", "opted_out")
    assert Refusal.objects.get().category.slug == "restock-alerts"


def test_a_refusal_is_of_one_category_and_not_of_what_is_critical() -> None:
    jimin()
    owner = shop()
    other = Category.objects.create(slug="other", name="Other")
    refusal = Refusal.objects.create(address="jimin@example.com", channel="email", category=other)
    assert accepted("email", by=owner)[0].state == "queued"

    refusal.category = owner.category
    refusal.save()
    assert accepted("email", by=owner)[0].reason == "opted_out"

    Category.objects.update(is_critical=True)
    catalogue.forget()
    assert accepted("email", by=owner)[0].state == "queued"


def test_a_caller_need_not_and_cannot_give_our_links(providers: Running) -> None:
    linked()
    jimin()
    data = {"user_name": "지민", "product_name": "신발", "unsubscribe_url": "https://evil.example"}
    (delivery,) = accepted("email", data=data)
    dispatched(Lane.EMAIL)
    assert "evil" not in body_of(providers, delivery)
    answer = shop().get("/v1/templates/restock")
    assert "unsubscribe_url" not in json.dumps(answer.json()["variables"])


def test_what_is_known_of_a_person_makes_no_link_that_runs_a_program(providers: Running) -> None:
    shop()
    said = {"email": {"ko": {"subject": "재입고", "html": '<a href="{{ recipient.page }}">x</a>'}}}
    publishing.publish(
        publishing.create_draft(Template.objects.get(name="restock"), publishing.Draft(said)), timezone.now()
    )
    catalogue.forget()
    jimin(attributes={"page": "javascript:alert(1)"})
    (delivery,) = accepted("email")

    dispatched(Lane.EMAIL)

    assert (now(delivery).state, now(delivery).reason) == ("failed", "not_rendered")
    assert "a link begins with javascript:" in last_event(delivery).detail
    assert "error" in providers.row(str(delivery.pk)), "nothing was sent"
