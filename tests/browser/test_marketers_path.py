"""The marketer's path in a real browser: an audience, two wordings, a second pair of eyes, progress, clicks, who won.

Workers take their turns here, between two looks at a page; the pages follow by themselves, and are not loaded again.
"""

import csv
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from accounts.models import Category
from campaigns import launching, ticking
from campaigns.models import Campaign, Run
from campaigns.reports import exporting
from campaigns.vocabulary import CampaignState
from config.demo import cast, guests, rules
from config.demo.readers import Readers
from notifications import receiving, recovery
from notifications.clock import clock
from tests.browser.test_admin_pages import PASSWORD, reach, serious
from tests.browser.test_template_editor import enter
from tests.notifications.road import dispatched_all
from tests.sandbox.world import Running
from tracking import arriving, folding

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[..., None]

#: Those in the demo who are no guests.
CAST = ("jimin", "wei", "minsu", "nara", "yuna", "haneul")
#: What the groups may that migrations make, which these tests' transactions empty.
MAY = {
    "marketer": [
        *(f"{verb}_{model}" for model in ("segment", "campaign") for verb in ("view", "add", "change", "delete")),
        "start_campaign",
        "view_run",
        "view_template",
    ],
    "approver": ["view_segment", "view_campaign", "approve_campaign", "view_run", "view_template"],
}


@pytest.fixture
def sandbox(trusted_sandbox: Running, settings: Settings, live_server: Any) -> Running:
    """What `make demo` sets up; receipts, and links in messages, come to this server."""
    settings.PUBLIC_URL = live_server.url
    events = {"receipts": True, "platform_url": live_server.url, "sendgrid_events_url": "/v1/webhooks/sendgrid-live"}
    trusted_sandbox.admin("PUT", "settings", events)
    cast.assemble(trusted_sandbox.state)
    rules.assemble(clock.now())
    guests.assemble()
    User.objects.create_superuser("admin", password=PASSWORD)
    for name, rights in MAY.items():
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return trusted_sandbox


@pytest.fixture
def readers(sandbox: Running, live_server: Any) -> Iterator[Readers]:
    """The demo's guests, who read their mail."""
    with Readers(live_server.url, sandbox.state["inbox_url"]) as people:
        yield people


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    """A wide window."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def a_turn() -> None:
    """What every worker does within some seconds."""
    launching.go_on(clock=clock.now)
    dispatched_all()
    arriving.arrive(clock=clock.now)
    receiving.apply(clock=clock.now)
    folding.fold(clock=clock.now)
    recovery.keep_tally()
    ticking.tick(clock=clock.now)


def worked_until(page: Page, shows: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Workers take turns until something is to be seen."""
    deadline = time.monotonic() + seconds
    while not shows():
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        a_turn()
        page.wait_for_timeout(200)


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()


def press(page: Page, words: str) -> None:
    """Come to a button by keyboard alone, and press it."""
    reach(page, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def add(page: Page, what: str) -> None:
    follow(page, what)
    page.locator("a[href$='/add/']").first.click()


def chosen(page: Page, *templates: str) -> None:
    """The variants of a campaign."""
    for place, template in enumerate(templates):
        page.locator(f"#id_variants-{place}-template").select_option(label=template)


def korean_readers(page: Page) -> None:
    """A segment, counted as its rule is made."""
    add(page, "Segments")
    counted = page.locator("[data-status]")
    expect(counted).to_have_text(f"{guests.GUESTS + len(CAST)} people")
    page.get_by_label("Name").fill("Korean readers")
    page.get_by_role("button", name="+ Rule").click()
    page.get_by_label("Rule 1: what").select_option(label="Locale")
    page.get_by_label("Rule 1: how").select_option(label="language is")
    page.get_by_label("Rule 1: value").fill("ko")
    expect(counted).to_have_text("304 people")


def written(page: Page, name: str, segment: str) -> None:
    """A draft of a campaign with two wordings."""
    add(page, "Campaigns")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Application").select_option(label="Demo shop")
    chosen(page, *guests.WORDINGS)
    page.locator("#id_segment").select_option(label=segment)


def saved(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist, .messages, main").first).to_contain_text("successfully")


def finished(page: Page) -> None:
    """The run's page comes to a hundred percent, by itself."""
    worked_until(page, lambda: page.get_by_role("progressbar").get_attribute("aria-valuenow") == "100.0")
    expect(page.locator("#run-far")).to_contain_text("Finished")


def clicks(page: Page) -> int:
    """How many clicks the page tells of."""
    cells = page.locator("section[aria-labelledby=run-arms] tbody tr").last.locator("td")
    names = page.locator("section[aria-labelledby=run-arms] thead th").all_inner_texts()
    return int(cells.nth([name.lower() for name in names].index("clicked") - 1).inner_text().split()[0])


def keep(page: Page, picture: Picture, name: str, height: int) -> None:
    """A picture for the guide: as much as is worth looking at."""
    page.set_viewport_size({"width": 1280, "height": height})
    page.wait_for_timeout(300)
    page.evaluate("document.activeElement.blur()")
    picture(page, name, whole=False)


def looked_at(page: Page) -> None:
    """What the checks and the estimate say of a draft that is ready; nothing on the page keeps anybody out."""
    expect(page.locator("main")).to_contain_text("Nothing stands in its way")
    expect(page.locator("[aria-labelledby=campaign-estimate]")).to_contain_text("email")
    assert serious(page) == []


def reported(page: Page) -> None:
    """The report says who won."""
    expect(page.locator("section[aria-labelledby=verdict]")).to_contain_text("B is better than A")


def figures(page: Page) -> list[list[str]]:
    """The rows of the file of a report."""
    with page.expect_download() as told:
        follow(page, "These figures as CSV")
    return list(csv.reader(io.StringIO(Path(told.value.path()).read_text(encoding="utf-8-sig"))))


def test_a_marketer_goes_from_an_audience_to_the_report(desk: Page, live_server: Any, readers: Readers) -> None:
    """By two people, as the category wants it, and by keyboard where it matters."""
    Category.objects.filter(slug="marketing").update(needs_approval=True)
    root = live_server.url
    enter(desk, root, "marketer")
    korean_readers(desk)
    assert serious(desk) == []
    saved(desk)
    written(desk, "Spring sale", "Korean readers")
    assert serious(desk) == []
    saved(desk)
    press(desk, "^Ask for approval")
    looked_at(desk)
    press(desk, "^Ask for approval: 304 people")
    expect(desk.get_by_text("waits for a second pair of eyes")).to_be_visible()
    assert Campaign.objects.get().state == CampaignState.IN_REVIEW
    assert not Run.objects.exists()

    enter(desk, root, "approver")
    follow(desk, "Campaigns")
    follow(desk, "Spring sale")
    follow(desk, "Approve or send back …")
    looked_at(desk)
    press(desk, "^Approve: 304 people")
    finished(desk)
    worked_until(desk, lambda: readers.clicks > 0 and readers.are_done and clicks(desk) == readers.clicks)
    assert serious(desk) == []

    enter(desk, root, "marketer")
    follow(desk, "Runs")
    desk.get_by_role("link", name="Spring sale").first.click()
    follow(desk, "Report of this run")
    reported(desk)
    assert serious(desk) == []
    sums = {row[0]: row for row in figures(desk) if row and row[0] in {"A", "B"} and not row[1]}
    assert sum(int(row[2]) for row in sums.values()) == 304


def test_a_newcomer_does_what_the_guide_says(desk: Page, live_server: Any, readers: Readers, picture: Picture) -> None:
    """docs/guides/first-campaign.md, step by step; its pictures come from here (BROWSER_PICTURES)."""
    enter(desk, live_server.url, "admin")
    korean_readers(desk)
    keep(desk, picture, "campaign-segment", 900)
    saved(desk)
    written(desk, "Spring sale", "Korean readers")
    keep(desk, picture, "campaign-form", 1200)
    saved(desk)
    follow(desk, "Start …")
    looked_at(desk)
    keep(desk, picture, "campaign-start", 720)
    desk.get_by_role("button", name="Start: 304 people").click()
    finished(desk)
    worked_until(desk, lambda: readers.clicks > 0 and readers.are_done and clicks(desk) == readers.clicks)
    keep(desk, picture, "campaign-run", 1080)
    follow(desk, "Report of this run")
    reported(desk)
    keep(desk, picture, "campaign-report", 1000)
    desk.get_by_role("button", name="Export its deliveries as CSV").click()
    expect(desk.get_by_label("Written so far")).to_be_visible()
    exporting.go_on(clock=clock.now)
    expect(desk.get_by_role("link", name="Download the file")).to_be_visible()
