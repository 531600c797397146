"""The pages of campaigns as people meet them: forms filled in, steps taken."""

import re
from html import unescape
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from tests.builders import administrator, application, published, shown
from tests.campaigns.stage import SALE, campaign, crowd, segment


def page(kind: str, name: str, key: Any) -> str:
    return reverse(f"admin:campaigns_{kind}_{name}", args=[key])


def member(role: str) -> Client:
    user = User.objects.create(username=role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(user)
    return browser


def filled(*templates: str, **values: Any) -> dict[str, Any]:
    """A form as somebody fills it in: everybody, by email, at once."""
    found = [published(name, SALE).template_id for name in templates or ("sale",)]
    usual: dict[str, Any] = {
        "name": "Spring sale", "mode": "live", "data": "{}", "channels": ["email"], "holdout_percent": 0,
        "schedule_kind": "now", "zone": "Asia/Seoul", "late_hours": 24, "urgency": "bulk", "split": "fixed",
        "goal": "click", "test_percent": 100, "decide_after_hours": 4, "decide_by_hours": 24, "sure_percent": 95,
        "variants-TOTAL_FORMS": len(found) + 1, "variants-INITIAL_FORMS": 0,
        "application": values.get("application") or application().pk,
        "segment": values.get("segment") or segment().pk,
    }  # fmt: skip
    for place, key in enumerate(found):
        usual |= {f"variants-{place}-template": key, f"variants-{place}-weight": 1}
    usual[f"variants-{len(found)}-weight"] = 1
    return {**usual, **values}


def save(given: dict[str, Any], browser: Client | None = None) -> Any:
    return (browser or administrator()).post(reverse("admin:campaigns_campaign_add"), given)


def errors(answer: Any) -> str:
    """The form again, with what stands beside its fields."""
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode())


def draft(**values: Any) -> Campaign:
    crowd(3)
    return campaign("sale", state="draft", **values)


def confirmed(browser: Client, made: Campaign, step: str, **named: Any) -> Any:
    """A step that asks first, as somebody takes it: what the page says is read, and its button pressed."""
    return browser.post(page("campaign", step, made.pk), on_page(browser, made, step), **named)


def on_page(browser: Client, made: Campaign, step: str) -> dict[str, str]:
    """What the page of a step brings back."""
    asked = shown(browser.get(page("campaign", step, made.pk)))
    return dict(re.findall(r'<input type="hidden" name="(seen|after|opened)" value="([^"]*)"', asked))


def letters(of: Campaign) -> list[tuple[str, str]]:
    return [(one.letter, one.template.name) for one in of.variants.order_by("letter")]
