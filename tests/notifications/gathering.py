"""A shop whose messages are gathered for ten minutes, and what its customers are told."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Category
from notifications import digesting
from notifications.models import Delivery
from notifications.timeline import timeline
from templates_app import catalogue
from templates_app.models import Template, TemplateVersion, VersionState
from tests.api.shop import Shop, shop

PATH = "/v1/notifications"
TEXT = "{{ count }}건: {% for item in items %}{{ item.name }}{% unless forloop.last %}, {% endunless %}{% endfor %}"
COMMENTS = {
    "push": {"ko": {"title": "새 댓글", "body": TEXT}},
    "sms": {"ko": {"body": TEXT}},
    "email": {"ko": {"subject": "{{ count }}건", "html": TEXT, "text": TEXT}},
}


def gathering_shop(**values: Any) -> Shop:
    """A shop with the template `comments`, in a category that gathers for ten minutes; or as `values` say."""
    caller = shop()
    template = Template.objects.create(name="comments", title="Comments", category=caller.category, default_locale="ko")
    TemplateVersion.objects.create(
        template=template, number=1, content=COMMENTS, state=VersionState.PUBLISHED, published_at=timezone.now()
    )
    Category.objects.filter(pk=caller.category.pk).update(**{"digest_minutes": 10, **values})
    catalogue.forget()
    return caller


def body(name: str, **changes: Any) -> dict[str, Any]:
    """A text message to "jimin" about one thing, gathered under "post-1"; or as `changes` say."""
    usual = {
        "template": "comments",
        "recipients": ["jimin"],
        "channels": ["sms"],
        "data": {"name": name},
        "digest_key": "post-1",
    }
    return {one: value for one, value in (usual | changes).items() if value is not None}


def asked(caller: Shop, name: str, **changes: Any) -> Any:
    """What is answered to it."""
    answer = caller.post(PATH, body(name, **changes))
    assert answer.status_code == 202, answer.content
    return answer.json()


def in_time() -> datetime:
    """When what is gathered now is due for sure."""
    return timezone.now() + timedelta(minutes=10, seconds=1)


def closed(at: datetime | None = None) -> int:
    """A turn of the task at a moment that stands still; how many digests."""
    moment = at or in_time()
    return digesting.close(clock=lambda: moment)


def sent(channel: str = "sms") -> list[Delivery]:
    """The deliveries that are of digests, or of what was sent at once."""
    return list(Delivery.objects.filter(channel=channel).exclude(state="suppressed").order_by("id"))


def names(delivery: Delivery) -> list[str]:
    """What it tells of."""
    said = {**delivery.notification.data, **(delivery.data or {})}
    assert said["count"] >= len(said["items"])
    return [item["name"] for item in said["items"]]


def lines(delivery: Delivery) -> list[str]:
    """Its timeline, as text."""
    return [f"{moment.what}: {moment.detail}" for moment in timeline(delivery)]
