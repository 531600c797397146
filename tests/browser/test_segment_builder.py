"""The rules of a segment in a real browser: built by keyboard, counted as they change, told where they are wrong."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import Recipient
from campaigns.models import Segment
from tests.browser.test_admin_pages import LOOKS, PASSWORD, look, reach, serious, signed_in
from tests.builders import category, device, person

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[[Page | Locator, str], None]
KOREA = {"field": "country", "is": "one of", "value": ["KR", "JP"]}
RULES: dict[str, Any] = {
    "all": [
        KOREA,
        {"field": "attributes.plan", "is": "is", "value": "pro"},
        {"not": {"any": [
            {"field": "last_seen", "is": "within", "value": 30},
            {"field": "preference", "is": "refuses", "value": {"category": "news", "channel": "email"}},
        ]}},
        {"any": [
            {"field": "platform", "is": "one of", "value": ["ios", "android"]}, {"field": "clicked", "is": "ever"},
        ]},
    ]
}  # fmt: skip


@pytest.fixture
def desk(chromium: Browser, live_server: Any) -> Iterator[Page]:
    """A wide window, signed in, before a few people."""
    User.objects.create_superuser("admin", password=PASSWORD)
    category("news")
    for n in range(14):
        made = person(
            f"shop-{n}", country="KR" if n % 2 else "US", locale="ko-KR", email=f"u{n}@people.example",
            attributes={"plan": "pro" if n < 5 else "free"},
        )  # fmt: skip
        if n == 0:
            device(made)
    with signed_in(chromium, live_server.url) as page:
        yield page


def counted(page: Page) -> Locator:
    return page.locator("[data-status]")


def test_a_segment_is_built_and_saved_by_keyboard_alone(desk: Page, live_server: Any) -> None:
    desk.goto(live_server.url + reverse("admin:campaigns_segment_add"))
    expect(counted(desk)).to_have_text("14 people")
    reach(desk, "^Name")
    desk.keyboard.type("Korea, pro")
    reach(desk, r"^\+ Rule$")
    desk.keyboard.press("Enter")
    reach(desk, "^Rule 1: value$")
    desk.keyboard.type("KR")
    expect(counted(desk)).to_have_text("7 people")
    reach(desk, r"^\+ Group$")
    desk.keyboard.press("Enter")
    reach(desk, "^Rule 2.1: what$", key="Shift+Tab")
    desk.keyboard.type("Attr")
    reach(desk, "^Rule 2.1: attribute$")
    desk.keyboard.type("plan")
    reach(desk, "^Rule 2.1: value$")
    desk.keyboard.type("pro")
    expect(counted(desk)).to_have_text("2 people")
    expect(desk.get_by_role("cell", name="shop-3", exact=True)).to_be_visible()
    reach(desk, "^Save$")
    desk.keyboard.press("Enter")

    expect(desk.get_by_role("status")).to_contain_text("Korea, pro")
    rule = {"field": "country", "is": "is", "value": "KR"}
    pro = {"field": "attributes.plan", "is": "is", "value": "pro"}
    assert Segment.objects.get().rules == {"all": [rule, {"any": [pro]}]}


def test_what_was_saved_is_shown_and_folds_back_into_the_same(desk: Page, live_server: Any) -> None:
    segment = Segment.objects.create(name="Everything", rules=RULES)
    desk.goto(live_server.url + reverse("admin:campaigns_segment_change", args=[segment.pk]))
    expect(counted(desk)).to_have_text("0 people")

    desk.get_by_label("Rule 3.1: days").fill("31")

    wanted = json.loads(json.dumps(RULES).replace("30", "31"))
    assert json.loads(desk.locator("textarea[name=rules]").input_value()) == wanted


def test_texts_with_commas_stay_whole_while_others_are_added(desk: Page, live_server: Any) -> None:
    plans = {"field": "attributes.plan", "is": "one of", "value": ["pro, yearly", "12", 12, "team"]}
    segment = Segment.objects.create(name="Plans", rules={"all": [plans]})
    desk.goto(live_server.url + reverse("admin:campaigns_segment_change", args=[segment.pk]))

    value = desk.get_by_label("Rule 1: value")
    expect(value).to_have_value('"pro, yearly", "12", 12, team')
    value.press("End")
    value.press_sequentially(", gold")

    found = json.loads(desk.locator("textarea[name=rules]").input_value())
    assert found["all"][0]["value"] == ["pro, yearly", "12", 12, "team", "gold"]


def test_a_mistake_stands_at_its_rule(desk: Page, live_server: Any, picture: Picture) -> None:
    segment = Segment.objects.create(name="Everything", rules=RULES)
    desk.goto(live_server.url + reverse("admin:campaigns_segment_change", args=[segment.pk]))

    desk.get_by_label("Rule 3.1: days").fill("0")

    wrong = desk.get_by_role("group", name="Rule 3.1", exact=True)
    expect(wrong).to_contain_text("Write a number of days, from 1 to 3650.")
    expect(desk.get_by_label("Rule 3.1: days")).to_have_attribute("aria-invalid", "true")
    expect(counted(desk)).to_contain_text("Not counted")
    assert serious(desk) == []
    picture(desk, "segment-mistake")
    desk.get_by_label("Rule 3.1: days").fill("7")
    expect(wrong.locator(".segment-mistake")).to_have_count(0)
    desk.get_by_role("button", name="Remove Group 4").click()
    expect(counted(desk)).to_have_text("2 people")


def test_without_javascript_the_rules_are_written_as_json(chromium: Browser, live_server: Any, desk: Page) -> None:
    context = chromium.new_context(java_script_enabled=False, storage_state=desk.context.storage_state())
    page = context.new_page()
    page.goto(live_server.url + reverse("admin:campaigns_segment_add"))

    page.locator("input[name=name]").fill("Korea")
    page.locator("textarea[name=rules]").fill(json.dumps(KOREA))
    page.locator("button[name=_save], input[name=_save]").first.click()

    assert Segment.objects.get().rules == KOREA
    context.close()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_builder_holds_up_in_every_look(
    desk: Page, live_server: Any, scheme: str, width: int, picture: Picture
) -> None:
    segment = Segment.objects.create(name="Some", rules={"all": RULES["all"][:3]})
    Recipient.objects.update(attributes={"plan": "pro"})
    vips = Segment.objects.create(name="VIPs", kind="list")
    look(desk, scheme, width)
    for name, page in (
        ("segment-change", reverse("admin:campaigns_segment_change", args=[segment.pk])),
        ("segment-add", reverse("admin:campaigns_segment_add")),
        ("segment-upload", reverse("admin:campaigns_segment_upload", args=[vips.pk])),
        ("segment-list", reverse("admin:campaigns_segment_changelist")),
    ):
        desk.goto(live_server.url + page)
        if name in {"segment-change", "segment-add"}:
            expect(counted(desk)).to_contain_text("people")
        picture(desk, f"{name}-{scheme}-{width}")
        assert serious(desk) == [], name
        assert desk.evaluate("document.documentElement.scrollWidth") <= width, name
