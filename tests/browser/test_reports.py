"""Reports in a real browser: what axe finds in every look, and a file that is asked for, watched and fetched."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from campaigns.models import Campaign
from campaigns.reports import exporting
from tests.browser.test_admin_pages import LOOKS, PASSWORD, look, serious, signed_in
from tests.campaigns.reports import scene

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[[Page, str], None]


@pytest.fixture
def shown() -> Campaign:
    """A campaign that went out twice."""
    User.objects.create_superuser("admin", password=PASSWORD)
    return scene.shown()


@pytest.fixture
def desk(chromium: Browser, live_server: Any, shown: Campaign) -> Iterator[Page]:
    """A wide window, signed in."""
    with signed_in(chromium, live_server.url) as page:
        yield page


@pytest.mark.parametrize("seen", LOOKS)
def test_axe_finds_nothing_serious_in_a_report(
    desk: Page, live_server: Any, shown: Campaign, seen: tuple[str, int], picture: Picture
) -> None:
    scheme, width = seen
    look(desk, scheme, width)
    page = reverse("admin:campaigns_campaign_report", args=[shown.pk])
    run = shown.runs.latest("planned_for")
    reports = reverse("admin:reports")
    for name, address in {
        "run": f"{page}?run={run.pk}", "all": page, "span": reports, "template": f"{reports}?by=template&key=sale",
        "wrong": f"{reports}?since=x",
    }.items():  # fmt: skip
        desk.goto(live_server.url + address)
        picture(desk, f"report-{name}-{scheme}-{width}")
        assert serious(desk) == [], name
        assert desk.evaluate("document.documentElement.scrollWidth") <= width, name


def test_a_file_is_asked_for_watched_and_fetched(
    desk: Page, live_server: Any, shown: Campaign, picture: Picture
) -> None:
    run = shown.runs.latest("planned_for")
    page = reverse("admin:campaigns_campaign_report", args=[shown.pk])
    desk.goto(f"{live_server.url}{page}?run={run.pk}")

    desk.get_by_role("button", name="Export its deliveries as CSV").click()
    expect(desk.get_by_role("progressbar")).to_be_visible()
    expect(desk.get_by_role("link", name="Download the file")).to_be_hidden()
    picture(desk, "export-begun")
    assert serious(desk) == []
    exporting.go_on(clock=lambda: datetime.now(UTC))

    with desk.expect_download() as begun:
        desk.get_by_role("link", name="Download the file").click()
    assert begun.value.suggested_filename == f"deliveries-{run.pk}.csv"
    expect(desk.get_by_role("status")).to_have_text("It is written: 0 lines.")
    picture(desk, "export-done")
