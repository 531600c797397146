"""Mails that were sent, and what people and machines do with them."""

import json
import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from notifications import receiving
from notifications.models import Delivery, DeliveryEvent
from notifications.vocabulary import Lane
from templates_app import catalogue, publishing
from templates_app.models import Template
from tests.api.shop import RESTOCK, Shop, jimin, shop
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import Running
from tracking import arriving

SHOP = "https://shop.example/products/12345?utm_campaign=spring&to=jimin%40example.com"
#: A browser as people have it.
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
LINKED = {
    **RESTOCK,
    "sms": {"ko": {"body": "{{ product_name }} 재입고 https://shop.example/p/1"}},
    "email": {
        "ko": {
            "subject": "재입고",
            "html": f'<p><a href="{SHOP}">보기</a> <a href="{{{{ unsubscribe_url }}}}">수신 거부</a></p>',
        }
    },
}


def linked(**category: Any) -> Shop:
    """A shop whose texts have links, and somebody to write to."""
    found = shop()
    for name, value in category.items():
        setattr(found.category, name, value)
    found.category.save()
    publishing.publish(
        publishing.create_draft(Template.objects.get(name="restock"), publishing.Draft(LINKED)), timezone.now()
    )
    catalogue.forget()
    jimin()
    return found


def mailed(by: Shop | None = None, *, seconds_ago: int = 60) -> Delivery:
    """A mail that was sent through the sandbox, a while ago."""
    (delivery,) = accepted("email", by=by or linked())
    dispatched(Lane.EMAIL)
    assert now(delivery).state == "sent"
    Delivery.objects.filter(pk=delivery.pk).update(sent_at=timezone.now() - timedelta(seconds=seconds_ago))
    return now(delivery)


def html_of(sandbox: Running, delivery: Delivery) -> str:
    """The mail as its provider got it."""
    (attempt,) = sandbox.row(str(delivery.pk))["attempts"]
    sent: Any = json.loads(str(attempt["body"]))
    return next(str(part["value"]) for part in sent["content"] if part["type"] == "text/html")


def paths(html: str, page: str) -> list[str]:
    """The paths of our own addresses in a text that begin with /`page`/."""
    return re.findall(rf"http://localhost:8000(/{page}/[\w./-]+)", html)


def fetched(path: str, method: str = "get", user_agent: str = BROWSER, **headers: str) -> Any:
    """What a browser, or whoever, gets."""
    return getattr(Client(), method)(path, headers={"User-Agent": user_agent, **headers})


def arrived() -> None:
    """The workers' turn."""
    arriving.arrive(clock=timezone.now)
    receiving.apply(clock=timezone.now)


def events(delivery: Delivery) -> list[tuple[str, str]]:
    """What the log says that people did with it: kinds and details."""
    found = DeliveryEvent.objects.of(delivery.pk).filter(kind__in=["opened", "clicked", "delivered"])
    return sorted(found.values_list("kind", "detail"))
