"""The form of a campaign and the page of a run in a real browser: what is hidden, what is said, and what axe finds."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from campaigns.models import Campaign, Run
from tests.browser.test_admin_pages import LOOKS, PASSWORD, look, serious, signed_in
from tests.builders import application, published
from tests.campaigns.stage import SALE, begun, campaign, counted, crowd, sampled, segment

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[[Page, str], None]
NEEDY = {"push": {"ko": {"title": "세일", "body": "{{ product }}, {{ percent }} %"}}}


@pytest.fixture
def desk(chromium: Browser, live_server: Any) -> Iterator[Page]:
    User.objects.create_superuser("admin", password=PASSWORD, email="admin@example.com")
    with signed_in(chromium, live_server.url) as page:
        yield page


def write(page: Page, root: str) -> None:
    """Fill in all but the time."""
    page.goto(root + reverse("admin:campaigns_campaign_add"))
    page.get_by_label("Name").fill("Spring sale")
    page.get_by_label("Application").select_option(label="shop")
    page.locator("#id_variants-0-template").select_option(label="sale")
    page.locator("#id_segment").select_option(label="everybody")


@pytest.fixture
def shop_window() -> None:
    application(name="shop")
    segment()
    crowd(3)
    published("sale", SALE)
    published("sale-warm", SALE)
    published("needy", NEEDY)


def test_the_form_shows_what_the_schedule_asks_for_and_says_what_it_means(
    desk: Page, live_server: Any, shop_window: None, picture: Picture
) -> None:
    write(desk, live_server.url)
    picture(desk, "campaign-add")
    crontab, starts, every = (desk.locator(f"#id_{name}") for name in ("crontab", "starts_wall", "every"))
    for hidden in (crontab, starts, every, desk.locator("#id_split"), desk.locator("#id_decide_by_hours")):
        expect(hidden).to_be_hidden()

    desk.locator("#id_schedule_kind").select_option("crontab")
    expect(every).to_be_hidden()
    crontab.fill("0 9 * * 1")
    expect(desk.get_by_text("Mondays at 09:00, Asia/Seoul")).to_be_visible()
    expect(desk.get_by_text("The next 3 times:")).to_be_visible()
    crontab.fill("0 9 31 2 *")
    expect(desk.get_by_text("never comes")).to_be_visible()
    crontab.fill("0 9 * * 1-5")
    expect(desk.get_by_text("Mondays to Fridays at 09:00")).to_be_visible()

    desk.locator("#id_variants-1-template").select_option(label="needy")
    expect(desk.get_by_text("needy needs percent, product.")).to_be_visible()
    expect(desk.locator("#id_split")).to_be_visible()
    desk.locator("#id_test_percent").fill("20")
    expect(desk.locator("#id_decide_by_hours")).to_be_visible()
    picture(desk, "campaign-filled")
    assert serious(desk) == []

    desk.get_by_role("button", name="Save").first.click()
    expect(desk.get_by_text("not ready")).to_be_visible()
    picture(desk, "campaign-not-ready")
    assert serious(desk) == []
    made = Campaign.objects.get()
    assert [(one.letter, one.template.name) for one in made.variants.order_by("letter")] == [
        ("A", "sale"), ("B", "needy"),
    ]  # fmt: skip


@pytest.fixture
def watched_run(shop_window: None) -> Run:
    made = campaign("sale-a", "sale-b", name="Summer sale", holdout_percent=10)
    run = begun(made, timezone.now() - timedelta(minutes=5))
    sampled(run)
    Run.objects.filter(pk=run.pk).update(people=11_000)
    for letter, people, clicked in (("A", 4500, 320), ("B", 4400, 455), ("-", 990, 0)):
        run.arms.filter(letter=letter).update(people=people)
        if clicked:
            counted(
                run, letter, sent=people - 600, delivered=400, failed=40, suppressed=160, clicked=clicked, opened=900
            )
    return run


@pytest.mark.parametrize("looks", LOOKS)
def test_the_pages_of_campaigns_hold_up_in_every_look(
    desk: Page, live_server: Any, watched_run: Run, looks: tuple[str, int], picture: Picture
) -> None:
    scheme, width = looks
    look(desk, scheme, width)
    draft = campaign(
        "sale-c", "sale-d", name="Winter sale", state="draft", schedule_kind="crontab", crontab="0 9 * * 1"
    )
    asked = {
        "run": reverse("admin:campaigns_run_change", args=[watched_run.pk]),
        "cancel": reverse("admin:campaigns_run_cancel", args=[watched_run.pk]),
        "runs": reverse("admin:campaigns_run_changelist"),
        "campaigns": reverse("admin:campaigns_campaign_changelist"),
        "draft": reverse("admin:campaigns_campaign_change", args=[draft.pk]),
        "start": reverse("admin:campaigns_campaign_start", args=[draft.pk]),
        "rehearse": reverse("admin:campaigns_campaign_rehearse", args=[draft.pk]),
        "active": reverse("admin:campaigns_campaign_change", args=[watched_run.campaign_id]),
        "home": reverse("admin:index"),
    }
    wrong = {}
    for name, address in asked.items():
        desk.goto(live_server.url + address)
        if name == "draft":
            desk.get_by_role("button", name="Compute").click()
        if name in ("draft", "start"):
            expect(desk.get_by_text("3 get something")).to_be_visible()
        picture(desk, f"campaign-{name}-{scheme}-{width}")
        if found := serious(desk):
            wrong[name] = found
        if desk.evaluate("document.documentElement.scrollWidth") > width:
            wrong.setdefault(name, []).append("wider than the window")
    assert wrong == {}
