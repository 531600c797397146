"""A list from a file in a real browser: uploaded, and watched on the page of its segment until it is in force."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, expect

from campaigns.models import Segment, Upload
from campaigns.segments import uploading
from tests.browser.test_admin_pages import PASSWORD, serious, signed_in
from tests.builders import person

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[[Page | Locator, str], None]


@pytest.fixture
def desk(chromium: Browser, live_server: Any) -> Iterator[Page]:
    """A wide window, signed in."""
    User.objects.create_superuser("admin", password=PASSWORD)
    with signed_in(chromium, live_server.url) as page:
        yield page


def test_a_long_file_is_uploaded_watched_and_in_force(
    desk: Page, live_server: Any, monkeypatch: pytest.MonkeyPatch, picture: Picture
) -> None:
    monkeypatch.setattr(uploading, "STEP", 2)
    monkeypatch.setattr(uploading, "AT_ONCE", 2)
    for name in ("ann", "bob", "cem"):
        person(name)
    segment = Segment.objects.create(name="VIPs", kind="list")
    desk.goto(live_server.url + reverse("admin:campaigns_segment_change", args=[segment.pk]))
    desk.get_by_role("link", name="Upload a file").click()

    text = b"external_id\nann\nbob\ncem\nghost\n"
    desk.get_by_label("File").set_input_files({"name": "vips.csv", "mimeType": "text/csv", "buffer": text})
    desk.get_by_role("button", name="Upload").click()

    bar = desk.get_by_role("progressbar")
    expect(bar).to_have_js_property("value", 20)
    expect(desk.get_by_text("It is being read: 1 of 5 lines.")).to_be_visible()
    picture(desk, "list-begun")
    assert serious(desk) == []
    held = uploading._take(datetime.now(UTC))
    assert held is not None
    uploading.read_step(held, datetime.now(UTC))
    expect(bar).to_have_js_property("value", 60)

    Upload.objects.update(lease_id=None, lease_until=None)
    uploading.go_on(clock=lambda: datetime.now(UTC))

    expect(desk.get_by_text("3 people are on the list.")).to_be_visible()
    expect(desk.get_by_text("1 line names somebody who is unknown here")).to_be_visible()
    expect(desk.get_by_role("status")).to_have_text("The file is read.")
    assert serious(desk) == []
    picture(desk, "list-done")
