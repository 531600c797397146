"""The whole path of a text in a real browser: written, previewed, mended, reviewed, published, tried, taken back."""

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import Category
from config.demo import cast
from templates_app import publishing
from templates_app.content import RawContent
from templates_app.models import TemplateVersion
from tests.browser.test_admin_pages import LOOKS, PASSWORD, look, reach, serious
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db(transaction=True)

Picture = Callable[[Page | Locator, str], None]


@pytest.fixture
def sandbox(trusted_sandbox: Running) -> Running:
    """What `make demo` sets up: sample templates, people, accounts at a sandbox that runs."""
    cast.assemble(trusted_sandbox.state)
    User.objects.create_superuser("admin", password=PASSWORD)
    # what the groups may that migrations make, which these tests' transactions empty
    for name, verbs in (("writer", ["view", "add", "change", "submit"]), ("approver", ["view", "approve"])):
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        names = [f"{verb}_templateversion" for verb in verbs]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return trusted_sandbox


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    """A wide window."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def enter(page: Page, root: str, name: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{root}/admin/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What happens here")).to_be_attached()


def address(root: str, version: TemplateVersion) -> str:
    return f"{root}/admin/templates_app/templateversion/{version.pk}/change/"


def newest() -> TemplateVersion:
    return TemplateVersion.objects.select_related("template").filter(template__name="restock").latest("number")


def up_to_date(page: Page) -> None:
    expect(page.locator("[data-status]")).to_contain_text(re.compile("up to date"))


def seen(page: Page) -> Any:
    return page.locator(".bongsu-seen:visible")


NEW_WORDS = "{{ user_name }}님, 기다리신 {{ product_name | particle: '이/가' }} 돌아왔어요!"


def body_of(page: Page) -> Any:
    return page.locator('[data-field="body"]')


def written(desk: Page, picture: Picture) -> None:
    """A draft of what is published, with other words in Korean; a mistake on the way is told beside the field."""
    expect(seen(desk).first).to_contain_text("지민")
    desk.get_by_role("button", name="Make a draft of it").click()
    up_to_date(desk)
    body_of(desk).fill(NEW_WORDS)
    expect(seen(desk).first).to_contain_text("지민님, 기다리신 겨울 신발이 돌아왔어요!")
    picture(desk, "editor")
    body_of(desk).fill("첫 줄\n둘째 {{ user_name | nonsense }}")
    mistake = desk.locator(".bongsu-editor-field .bongsu-mistake")
    expect(mistake).to_contain_text("Line 2, column")
    picture(desk, "mistake")
    assert serious(desk) == []
    body_of(desk).fill(NEW_WORDS)
    expect(mistake).to_have_count(0)


def tried(desk: Page, picture: Picture) -> None:
    """A text message, sent before it is saved."""
    desk.get_by_role("button", name=re.compile("^SMS")).click()
    body_of(desk).fill("{{ user_name }}님, {{ product_name }} 재입고! " + "꼭 보세요. " * 30)
    expect(desk.locator("[data-remarks]")).to_contain_text("each of which is charged")
    body_of(desk).fill("{{ user_name }}님, {{ product_name }} 재입고!")
    expect(seen(desk)).to_contain_text("UCS-2: 1 part")
    desk.get_by_label("Send me a test").fill("+821012345678")
    desk.get_by_role("button", name="Send the test").click()
    expect(desk.locator("[data-try-says]")).to_contain_text("took it")
    picture(desk, "tried")


def submitted(desk: Page) -> TemplateVersion:
    """Saved, and given to review."""
    desk.get_by_role("button", name="Save and continue editing").click()
    up_to_date(desk)
    draft = newest()
    assert draft.content["push"]["ko"] == {"title": "재입고 알림", "body": NEW_WORDS, "sound": "default"}
    desk.get_by_label("Comment").fill("새 문구예요")
    desk.get_by_role("button", name="Ask for a review").click()
    said(desk, "waits for an approval")
    return draft


def said(page: Page, words: str) -> None:
    expect(page.locator(".messagelist")).to_contain_text(words)


def test_a_text_goes_all_the_way_and_back(desk: Page, live_server: Any, sandbox: Running, picture: Picture) -> None:
    Category.objects.filter(templates__name="restock").update(needs_approval=True)
    first, root = newest(), live_server.url
    enter(desk, root, "writer")
    desk.goto(address(root, first))
    up_to_date(desk)
    written(desk, picture)
    tried(desk, picture)
    assert newest().content == first.content
    draft = submitted(desk)

    enter(desk, root, "approver")
    desk.goto(address(root, draft))
    up_to_date(desk)
    expect(seen(desk).first).to_contain_text("돌아왔어요!")
    expect(desk.get_by_text("새 문구예요")).to_be_visible()
    picture(desk, "review")
    desk.get_by_role("button", name="Approve and publish").click()
    said(desk, "is approved and published")

    enter(desk, root, "admin")
    desk.goto(address(root, first))
    desk.get_by_role("button", name="Go back to this version").click()
    said(desk, "a copy of v1")

    desk.goto(str(sandbox.state["inbox_url"]))
    expect(desk.locator(".sms ol")).to_contain_text("지민님, 겨울 신발 재입고!")


def test_a_newcomer_does_what_the_guide_says(desk: Page, live_server: Any, sandbox: Running, picture: Picture) -> None:
    """docs/guides/first-template.md, step by step; its pictures come from here (BROWSER_PICTURES)."""
    desk.set_viewport_size({"width": 1440, "height": 1500})
    enter(desk, live_server.url, "admin")
    desk.get_by_role("link", name="Template versions").first.click()
    desk.get_by_role("link", name="restock v1").click()
    desk.get_by_role("button", name="Make a draft of it").click()
    up_to_date(desk)
    body_of(desk).fill(NEW_WORDS)
    expect(seen(desk).first).to_contain_text("지민님, 기다리신 겨울 신발이 돌아왔어요!")
    up_to_date(desk)
    picture(desk.locator("#bongsu-editor"), "guide-editor")
    desk.get_by_label("Send me a test").fill("jimin")
    desk.get_by_role("button", name="Send the test").click()
    expect(desk.locator("[data-try-says].bongsu-good")).to_contain_text("apns-test: The provider took it")
    expect(desk.locator("[data-try-says]")).to_contain_text("fcm-test: The provider took it")
    picture(desk.locator(".bongsu-editor-try"), "guide-tried")
    desk.get_by_role("button", name="Save and continue editing").click()
    up_to_date(desk)
    desk.get_by_role("button", name="Publish", exact=True).click()
    said(desk, "is published")
    desk.goto(str(sandbox.state["inbox_url"]))
    for device in (".ios", ".android", ".desktop"):
        expect(desk.locator(f"{device} ol")).to_contain_text("지민님, 기다리신 겨울 신발이 돌아왔어요!")
    desk.set_viewport_size({"width": 1300, "height": 900})
    desk.wait_for_timeout(600)  # what has just come fades in
    picture(desk, "guide-inbox")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_axe_finds_nothing_serious_in_the_editor(
    desk: Page, live_server: Any, sandbox: Running, scheme: str, width: int
) -> None:
    enter(desk, live_server.url, "admin")
    desk.goto(address(live_server.url, newest()))
    desk.get_by_role("button", name="Make a draft of it").click()
    look(desk, scheme, width)
    up_to_date(desk)
    for channel in ("Push", "SMS", "Email"):
        desk.get_by_role("button", name=re.compile(f"^{channel}")).click()
        assert serious(desk) == [], channel
        assert desk.evaluate("document.documentElement.scrollWidth") <= width


def test_a_language_is_added_written_and_saved_by_keyboard_alone(
    desk: Page, live_server: Any, sandbox: Running
) -> None:
    enter(desk, live_server.url, "admin")
    desk.goto(address(live_server.url, newest()))
    reach(desk, "^Make a draft of it")
    desk.keyboard.press("Enter")
    up_to_date(desk)
    reach(desk, "^New language")
    desk.keyboard.type("JA")
    desk.keyboard.press("Enter")
    expect(desk.get_by_label("Title", exact=False).first).to_be_focused()
    desk.keyboard.type("再入荷")
    reach(desk, "^Body")
    desk.keyboard.type("{{ user_name }}様")
    expect(seen(desk).first).to_contain_text("지민様")
    expect(desk.locator("[data-elsewhere]")).to_contain_text("sms · ja is not written; ko stands in for it")
    reach(desk, "^Save$", most=120)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("status").first).to_contain_text("changed successfully")
    assert newest().content["push"]["ja"] == {"title": "再入荷", "body": "{{ user_name }}様"}


def test_without_javascript_the_json_is_written(
    chromium: Browser, desk: Page, live_server: Any, sandbox: Running
) -> None:
    enter(desk, live_server.url, "admin")
    state = desk.context.storage_state()
    context = chromium.new_context(java_script_enabled=False, storage_state=state, locale="en-GB")
    page = context.new_page()
    page.goto(address(live_server.url, newest()))
    page.get_by_role("button", name="Make a draft of it").click()
    expect(page.locator("#bongsu-editor")).to_be_hidden()
    page.locator("textarea[name=content]").fill('{"sms": {"ko": {"body": "손으로 쓴 글"}}}')
    page.get_by_role("button", name="Save", exact=True).click()
    assert newest().content == {"sms": {"ko": {"body": "손으로 쓴 글"}}}
    context.close()


def test_what_is_no_field_is_kept_and_an_email_leaves_nothing_and_runs_nothing(
    desk: Page, live_server: Any, sandbox: Running
) -> None:
    ios = {"ios": {"subtitle": "애플에서만", "title": "아이폰 제목"}}
    fetched: list[str] = []
    spy = HTTPServer(
        ("127.0.0.1", 0), type("Spy", (BaseHTTPRequestHandler,), {"do_GET": lambda it: fetched.append(it.path)})
    )
    threading.Thread(target=spy.serve_forever, daemon=True).start()
    pixel = f"http://127.0.0.1:{spy.server_port}/p.png"
    html = (
        f'<style>p {{ background: url({pixel}) }}</style><p id="x">안녕</p><img src="{pixel}">'
        f'<iframe src="{pixel}"></iframe><script>new Image().src="{pixel}"</script>'
    )
    content: RawContent = {
        "push": {"ko": {"title": "제목", "body": "본문", "overrides": ios}},
        "email": {"ko": {"subject": "안녕", "html": html}},
    }
    version = publishing.create_draft(newest().template, publishing.Draft(content))
    enter(desk, live_server.url, "admin")
    desk.goto(address(live_server.url, version))
    up_to_date(desk)
    expect(seen(desk).first).to_contain_text("아이폰 제목")
    desk.get_by_label("Badge").fill("3")
    desk.get_by_role("button", name="Add a button").click()
    desk.get_by_label("1: id").fill("buy")
    desk.get_by_label("1: label").fill("사기")
    expect(seen(desk).first).to_contain_text("사기")
    desk.get_by_role("button", name=re.compile("^Email")).click()
    expect(desk.frame_locator(".bongsu-mail-phone").locator("#x")).to_have_text("안녕")
    desk.get_by_role("button", name="Save and continue editing").click()
    up_to_date(desk)
    assert newest().content["push"]["ko"] == {
        "title": "제목", "body": "본문", "overrides": ios, "badge": 3, "buttons": [{"id": "buy", "label": "사기"}],
    }  # fmt: skip
    spy.shutdown()
    spy.server_close()
    assert fetched == []
