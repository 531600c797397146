"""The preference centre and the unsubscribe page in a real browser: by mouse, by keyboard alone, by what axe finds."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import consent, links
from accounts.channels import Channel
from accounts.consent import Choice
from accounts.links import Subject
from accounts.models import Preference, Recipient
from accounts.suppressions import Cause, suppress
from tests.builders import category, person, witness

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[[Page, str], None]


@pytest.fixture
def jimin() -> Recipient:
    category("security", name="로그인 알림", is_critical=True)
    category("news", name="새 소식")
    category("offers", name="할인과 이벤트", consent="opt_in")
    jimin = person(email="jimin@people.example", phone="+821012345678", locale="ko-KR", time_zone="Asia/Seoul")
    consent.choose(jimin, [Choice(allowed=False, channel=Channel.SMS)], timezone.now(), witness())
    suppress(Channel.SMS, jimin.phone, Cause.STOP, timezone.now(), witness())
    return jimin


def centre(server: Any, who: Recipient, language: str = "") -> str:
    token = links.preferences_token(Subject(Channel.EMAIL, who.pk))
    return f"{server.url}/p/{token}" + (f"?lang={language}" if language else "")


def leaving(server: Any, who: Recipient) -> str:
    token = links.unsubscribe_token(Subject(Channel.EMAIL, who.pk), category("news").pk)
    return f"{server.url}/u/{token}"


def refused() -> set[tuple[str | None, str, bool]]:
    return set(Preference.objects.values_list("category__slug", "channel", "allowed"))


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people from using a page."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    assert found.response["passes"]
    return [one["id"] for one in found.response["violations"] if one["impact"] in {"serious", "critical", "moderate"}]


def test_a_person_changes_choices_by_mouse(page: Page, live_server: Any, jimin: Recipient, picture: Picture) -> None:
    page.goto(centre(live_server, jimin))
    picture(page, "preferences-ko-phone")
    news = page.get_by_role("group", name="새 소식")
    expect(news.get_by_label("이메일")).to_be_checked()
    expect(news.get_by_label("문자")).not_to_be_checked()

    news.get_by_label("이메일").uncheck()
    page.get_by_role("group", name="할인과 이벤트").get_by_label("푸시").check()
    page.get_by_label("시작").fill("22:00")
    page.get_by_label("끝").fill("07:30")
    page.get_by_role("button", name="선택 저장").click()

    expect(page.get_by_role("status")).to_have_text("선택한 내용을 저장했습니다.")
    expect(news.get_by_label("이메일")).not_to_be_checked()
    expect(page.get_by_label("끝")).to_have_value("07:30")
    picture(page, "preferences-ko-saved")
    assert refused() == {(None, "sms", False), ("news", "email", False), ("offers", "push", True)}


def test_a_person_changes_choices_by_keyboard_alone(page: Page, live_server: Any, jimin: Recipient) -> None:
    page.goto(centre(live_server, jimin, "en"))
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.value || document.activeElement.textContent")
        reached.append(focused)
        if focused == "news:email":
            page.keyboard.press("Space")
        if focused == "Save my choices":
            page.keyboard.press("Enter")
            break

    expect(page.get_by_role("status")).to_have_text("Your choices are saved.")
    assert {"한국어", "news:push", "news:sms", "offers:email"} <= set(reached)
    assert ("news", "email", False) in refused()


def test_a_person_unsubscribes_by_keyboard_alone(
    page: Page, live_server: Any, jimin: Recipient, picture: Picture
) -> None:
    page.goto(leaving(live_server, jimin))
    picture(page, "unsubscribe-ko-phone")
    assert serious(page) == []
    assert ("news", "email", False) not in refused()

    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("수신 거부가 완료되었습니다")
    picture(page, "unsubscribe-ko-done")
    assert ("news", "email", False) in refused()
    assert serious(page) == []


@pytest.mark.parametrize("look", list(product(["ko", "en"], ["light", "dark"], [320, 1280])), ids=str)
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(
    page: Page, live_server: Any, jimin: Recipient, look: tuple[str, Any, int], picture: Picture
) -> None:
    language, scheme, width = look
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(centre(live_server, jimin, language))
    picture(page, f"preferences-{language}-{scheme}-{width}")

    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button").first.click()
    expect(page.get_by_role("status")).to_be_visible()
    assert serious(page) == []


def test_a_mistake_is_told_where_it_is_and_costs_no_choice(page: Page, live_server: Any, jimin: Recipient) -> None:
    page.goto(centre(live_server, jimin, "en"))
    page.get_by_label("Push").first.uncheck()
    page.get_by_label("From").fill("22:00")
    page.get_by_role("button", name="Save my choices").click()

    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved.")
    expect(page.get_by_label("Push").first).not_to_be_checked()
    expect(page.get_by_label("From")).to_have_value("22:00")
    assert serious(page) == []
    assert refused() == {(None, "sms", False)}


def test_the_page_works_as_its_own_policy_allows(page: Page, live_server: Any, jimin: Recipient) -> None:
    complaints: list[str] = []
    requested: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: requested.append(request.url))

    page.goto(centre(live_server, jimin))
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your notifications")

    assert [one for one in complaints if "favicon" not in one] == []
    assert all(url.startswith(live_server.url) for url in requested)
    assert any(url.endswith("pages.css") for url in requested)
    margins = page.evaluate("getComputedStyle(document.querySelector('fieldset')).borderRadius")
    assert margins != "0px"
