"""Every page of the admin in a real browser: what axe finds, light and dark, wide and narrow; and by keyboard alone."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from playwright.sync_api import Browser, Page, expect

from accounts.channels import Channel
from accounts.consent import Choice, choose
from accounts.models import Cap, Preference, ReceivedReply, Recipient, Refusal
from accounts.staff import audit
from accounts.staff.audit import Deed
from accounts.suppressions import Cause, suppress
from notifications import recovery, vault
from notifications.models import (
    Audience,
    DeadLetter,
    Delivery,
    Erasure,
    Notification,
    ProviderAccount,
    Route,
    RouteStep,
    SmsPrice,
)
from templates_app.models import Partial
from tests.api.shop import DATA, jimin, shop
from tests.builders import caller, category, device, witness
from tests.campaigns.stage import begun, campaign

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[[Page, str], None]
LOOKS = list(product(["light", "dark"], [1280, 390]))
PASSWORD = "a long password of nobody"


@pytest.fixture
def stage() -> None:
    """A row or more of every model that has a page."""
    User.objects.create_superuser("admin", password=PASSWORD)
    Group.objects.create(name="support")
    person = jimin(email="jimin@people.example")
    news = category("news")
    device(person)
    Cap.objects.create(category=news, channel="sms", most=3, hours=24)
    Preference.objects.create(recipient=person, category=news, channel="email", allowed=False)
    choose(person, [Choice(allowed=False, channel=Channel.SMS)], timezone.now(), witness())
    Refusal.objects.create(address="x@people.example", channel="email", category=news, created_at=timezone.now())
    ReceivedReply.objects.create(
        phone="+821012345678", wish="stop", keyword="STOP", account="twilio-live", ref="1", said_at=timezone.now()
    )
    suppress(Channel.EMAIL, "gone@people.example", Cause.HARD_BOUNCE, timezone.now(), witness())
    caller(name="shop window")
    _accounts_and_routes()
    for channels in (["sms"], ["email"]):
        answer = shop().post(
            "/v1/notifications",
            {"template": "restock", "recipients": [person.external_id], "data": DATA, "channels": channels},
        )
        assert answer.status_code == 202
    notification = Notification.objects.latest("id")
    Audience.objects.create(notification=notification, channels=["sms"], people=1, planned=1)
    delivery = Delivery.objects.latest("id")
    DeadLetter.objects.create(delivery=delivery, notification=notification, queue="email", at=timezone.now())
    Partial.objects.create(name="footer", title="Footer", texts={"ko": "<p>안녕히 계세요</p>"})
    Erasure.objects.create(asked_at=timezone.now(), asked_by="admin", due_at=timezone.now(), rows={"deliveries": 3})
    audit.note(news, Deed("changed", before={"name": "Old news"}, after={"name": "News"}), None)
    _schedules()
    begun(campaign("spring-sale", "summer-sale"))
    recovery.keep_tally()


def _accounts_and_routes() -> None:
    sealed = vault.seal({"account_sid": "AC" + "0" * 32, "auth_token": "f" * 32})
    usual = {"provider": "twilio", "settings": {"sender": "+15005550006"}, "credentials": sealed}
    sandbox = ProviderAccount.objects.create(name="sms-test", mode="test", endpoint="https://sandbox.example", **usual)
    live = ProviderAccount.objects.create(name="sms-main", diverted_to=sandbox, diverted_at=timezone.now(), **usual)
    route = Route.objects.create(mode="live", channel="sms")
    RouteStep.objects.create(route=route, account=live, position=1, weight=100)
    SmsPrice.objects.create(
        provider="twilio", destination="KR", per_segment="0.05", currency="USD", valid_from=datetime.now(UTC).date()
    )


def _schedules() -> None:
    every = IntervalSchedule.objects.create(every=10, period="minutes")
    CrontabSchedule.objects.create()
    ClockedSchedule.objects.create(clocked_time=timezone.now())
    SolarSchedule.objects.create(event="sunrise", latitude=37.5, longitude=127)
    PeriodicTask.objects.create(name="tidy", task="notifications.sweep", interval=every)


@contextmanager
def signed_in(chromium: Browser, root: str) -> Iterator[Page]:
    """A wide window in which the administrator has signed in by the form."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{root}/admin/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What happens here")).to_be_attached()
    yield page
    context.close()


@pytest.fixture
def desk(chromium: Browser, live_server: Any, stage: None) -> Iterator[Page]:
    """A wide window, signed in by the form."""
    with signed_in(chromium, live_server.url) as page:
        yield page


def addresses() -> dict[str, str]:
    """Every page of the admin, by a name for it: found by its registry, so that a new model's are looked at as well."""
    found = {"home": reverse("admin:index"), "password": reverse("admin:password_change")}
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        found[f"{name}-list"] = reverse(f"admin:{name}_changelist")
        if "add" in _verbs(model):
            found[f"{name}-add"] = reverse(f"admin:{name}_add")
        row = model._default_manager.order_by("pk").first()
        assert row is not None, f"the stage has no {name}"
        found[f"{name}-change"] = reverse(f"admin:{name}_change", args=[row.pk])
        if "delete" in _verbs(model):
            found[f"{name}-delete"] = reverse(f"admin:{name}_delete", args=[row.pk])
    account = ProviderAccount.objects.get(name="sms-test").pk
    why = reverse("admin:notifications_delivery_why")
    found |= {
        "why": why,
        "why-found": f"{why}?who=jimin",
        "why-wrong": f"{why}?who=",
        "import": reverse("admin:notifications_smsprice_import"),
        "try": reverse("admin:notifications_provideraccount_test", args=[account]),
        "compare": reverse("admin:templates_app_templateversion_compare"),
        "erase": reverse("admin:notifications_erasure_erase", args=[Recipient.objects.get(external_id="jimin").pk]),
        "history": reverse("admin:accounts_category_history", args=[category().pk]),
        "user-password": reverse("admin:auth_user_password_change", args=[User.objects.get(username="admin").pk]),
        "missing": "/admin/nowhere/",
        "bad-filter": f"{reverse('admin:notifications_delivery_changelist')}?after=x",
    }
    return found


def _verbs(model: Any) -> set[str]:
    page = admin.site._registry[model]
    asks = type("Asks", (), {"user": User.objects.get(username="admin")})()
    return {verb for verb in ("add", "delete") if getattr(page, f"has_{verb}_permission")(asks)}


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people from using a page, with the first place where it does."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    return [_told(one) for one in found.response["violations"] if one["impact"] in {"serious", "critical"}]


def _told(found: dict[str, Any]) -> str:
    first = found["nodes"][0]
    why = first["any"][0]["message"] if first["any"] else ""
    return f"{found['id']} ({len(found['nodes'])}): {first['html'][:300]} {why[:160]}"


def look(page: Page, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # light or dark
    page.set_viewport_size({"width": width, "height": 900})


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_axe_finds_nothing_serious_on_any_page(
    desk: Page, live_server: Any, scheme: str, width: int, picture: Picture
) -> None:
    """Each page once, a quarter of them in each look; the next test has a few pages in all of them."""
    wrong: dict[str, list[str]] = {}
    look(desk, scheme, width)
    for name, address in list(addresses().items())[LOOKS.index((scheme, width)) :: len(LOOKS)]:
        desk.goto(live_server.url + address)
        picture(desk, f"admin-{name}-{scheme}-{width}")
        if found := serious(desk):
            wrong[name] = found
        if desk.evaluate("document.documentElement.scrollWidth") > width:
            wrong.setdefault(name, []).append(f"wider than the window: {desk.evaluate(_WIDEST)}")
    assert wrong == {}, "\n".join(f"{name}: {one}" for name, all_ in wrong.items() for one in all_)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_pages_that_people_see_most_hold_up_in_every_look(
    desk: Page, live_server: Any, scheme: str, width: int, picture: Picture
) -> None:
    look(desk, scheme, width)
    for name in ("index", "notifications_delivery_changelist", "notifications_provideraccount_add"):
        desk.goto(live_server.url + reverse(f"admin:{name}"))
        picture(desk, f"look-{name}-{scheme}-{width}")
        expect(desk.get_by_role("alert").filter(has_text="reach nobody")).to_be_visible()
        assert serious(desk) == [], name


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_door_holds_up_in_every_look(page: Page, live_server: Any, stage: None, scheme: str, width: int) -> None:
    look(page, scheme, width)
    page.goto(f"{live_server.url}/admin/login/")
    assert serious(page) == []
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
    assert serious(page) == []


def reach(page: Page, words: str, key: str = "Tab", most: int = 90) -> None:
    """Go on by keyboard until what is named so has the focus; everything on the way shows that it has it."""
    for _ in range(most):
        page.keyboard.press(key)
        if re.search(words, page.evaluate(_NAME_OF_FOCUS) or ""):
            assert page.evaluate(_IS_FRAMED), words
            return
    raise AssertionError(f"no way to {words!r} by keyboard")


_WIDEST = """() => [...document.querySelectorAll('main *')]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .filter((e) => !e.closest('.overflow-x-auto, .bongsu-scroll, .simplebar-content-wrapper'))
    .slice(0, 4).map((e) => e.outerHTML.slice(0, 160)).join(' | ')"""
_NAME_OF_FOCUS = """() => { const e = document.activeElement;
    return e.getAttribute('aria-label') || (e.labels && e.labels[0] && e.labels[0].textContent.trim())
        || e.value || e.textContent.trim().replace(/\\s+/g, ' '); }"""
_IS_FRAMED = """() => { const s = getComputedStyle(document.activeElement);
    const p = getComputedStyle(document.activeElement.parentElement);
    return s.outlineStyle !== 'none' || p.outlineStyle !== 'none' || s.boxShadow !== 'none'; }"""


def test_a_category_is_found_opened_and_saved_by_keyboard_alone(page: Page, live_server: Any, stage: None) -> None:
    page.set_viewport_size({"width": 1700, "height": 900})
    page.goto(f"{live_server.url}/admin/")
    reach(page, "^Username")
    page.keyboard.type("admin")
    reach(page, "^Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Today, in UTC")).to_be_visible()

    page.keyboard.press("Tab")
    assert page.evaluate(_NAME_OF_FOCUS) == "Skip to the content"
    page.keyboard.press("Enter")
    reach(page, r"^\d+$")
    page.reload()

    reach(page, "Categories")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/category/")
    page.goto(f"{page.url}?is_critical__exact=0")
    reach(page, "(?i)^news$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/**")
    reach(page, "^Name")
    page.keyboard.press("Control+a")
    page.keyboard.type("Fresh news")
    reach(page, "^Save$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Fresh news")


def test_filters_and_the_menu_of_a_phone_open_by_keyboard(desk: Page, live_server: Any) -> None:
    desk.set_viewport_size({"width": 390, "height": 900})
    desk.goto(live_server.url + reverse("admin:notifications_delivery_changelist"))
    reach(desk, "^Filters")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("link", name="Today", exact=True)).to_be_visible()
    reach(desk, "^Today$")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**day=today**")
    reach(desk, "^Menu$")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("link", name="Home")).to_be_visible()


def test_why_somebody_got_it_or_not_is_asked_and_read_by_keyboard_alone(desk: Page, live_server: Any) -> None:
    desk.goto(live_server.url + reverse("admin:notifications_delivery_why"))
    reach(desk, "^Recipient:?$")
    desk.keyboard.type("jimin")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="What happened to jimin")).to_be_visible()

    reach(desk, "restock")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("link", name="This delivery").first).to_be_visible()
    reach(desk, "^This delivery")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/notifications/delivery/**/change/")
