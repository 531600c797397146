"""Long names wrap: none pushes a column that people look for out of sight, or a page out of its window."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page

from campaigns.models import Arm, Campaign
from templates_app.models import Template
from tests.browser.test_admin_pages import PASSWORD, look, signed_in
from tests.campaigns.reports import scene
from tests.campaigns.stage import campaign

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[[Page, str], None]

#: As long as a campaign's and a template's can be.
NAME = "The_great_winter_sale_of_everything_" + "x" * 84
TEMPLATE = "winter-sale-" + "y" * 68
#: Of a table in its window: how much of it is hidden to the right; and what part of the window its first cells take.
HIDDEN = "table => { const around = table.parentElement; return around.scrollWidth - around.clientWidth; }"
FIRST = "table => Math.max(...[...table.querySelectorAll('tbody th')].map(one => one.offsetWidth)) / innerWidth"


@pytest.fixture
def named() -> Campaign:
    """One that went out twice, and another of an ordinary name."""
    User.objects.create_superuser("admin", password=PASSWORD)
    made = scene.shown()
    campaign("welcome", name=NAME[:-1], channels=["email"], state="draft")
    Campaign.objects.filter(pk=made.pk).update(name=NAME)
    Template.objects.filter(name="sale").update(name=TEMPLATE, title=TEMPLATE)
    Arm.objects.filter(template="sale").update(template=TEMPLATE)
    return Campaign.objects.get(pk=made.pk)


@pytest.fixture
def desk(chromium: Browser, live_server: Any, named: Campaign) -> Iterator[Page]:
    """A window, signed in."""
    with signed_in(chromium, live_server.url) as page:
        yield page


@pytest.mark.parametrize("width", [1280, 390])
def test_long_names_hide_nothing(desk: Page, live_server: Any, named: Campaign, width: int, picture: Picture) -> None:
    look(desk, "light", width)
    report = reverse("admin:campaigns_campaign_report", args=[named.pk])
    run = named.runs.latest("planned_for")
    reports = reverse("admin:reports")
    pages = {
        "report": f"{report}?run={run.pk}",
        "reports": reports,
        "templates": f"{reports}?by=template",
        "run": reverse("admin:campaigns_run_change", args=[run.pk]),
        "campaigns": reverse("admin:campaigns_campaign_changelist"),
        "runs": reverse("admin:campaigns_run_changelist"),
        "delete": reverse("admin:campaigns_campaign_delete", args=[Campaign.objects.get(name=NAME[:-1]).pk]),
    }
    for name, address in pages.items():
        desk.goto(live_server.url + address)
        picture(desk, f"long-{name}-{width}")
        assert desk.evaluate("document.documentElement.scrollWidth") <= width, name
        for table in desk.locator("table.bongsu-report, .campaign-run table.bongsu-table").all():
            if not table.is_visible():
                continue
            assert table.evaluate(FIRST) <= 0.45, name
            if width == 1280:
                assert table.evaluate(HIDDEN) <= 1, (name, table.locator("caption").text_content())
        if width == 1280 and name in {"campaigns", "runs"}:
            last = desk.locator("#result_list thead th").last.bounding_box()
            assert last, name
            assert last["x"] + last["width"] <= width, name
