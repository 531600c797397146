"""The editor: what an unsaved draft would say, what is wrong with it and where, and a test of it to oneself."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from notifications import tariffs
from notifications.models import ProviderAccount, SmsPrice
from templates_app import publishing
from templates_app.models import Partial, TemplateVersion
from tests.builders import WELCOME, category, device, iphone, person, published, shown, template
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

ROOT = "/admin/templates_app/templateversion/"
SAMPLE = {"name": "지민"}


@pytest.fixture(autouse=True)
def prices_forgotten() -> Iterator[None]:
    """No test sees the price list of another, which a process believes for a minute."""
    tariffs.forget()
    yield
    tariffs.forget()


def signed_in(role: str = "Administrator") -> Client:
    user = User.objects.create(username=role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(user)
    return browser


def draft(**values: Any) -> TemplateVersion:
    written = publishing.Draft(WELCOME, SAMPLE)
    return publishing.create_draft(template("welcome", category=category(**values)), written)


def asked(version: TemplateVersion, content: Any = WELCOME, sample: Any = SAMPLE, **more: str) -> dict[str, str]:
    typed = {"content": content, "sample_data": sample}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in typed.items()}
    return {"version": str(version.pk), **texts, **more}


def previewed(version: TemplateVersion, *what: Any, browser: Client | None = None, **more: str) -> dict[str, Any]:
    answer = (browser or signed_in()).post(f"{ROOT}preview/", asked(version, *what, **more))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def told(found: dict[str, Any], kind: str = "warnings") -> list[str]:
    return [" ".join(filter(None, (one["channel"], one["locale"], one["field"], one["says"]))) for one in found[kind]]


def test_every_text_is_shown_and_nothing_is_saved() -> None:
    version = draft()
    found = previewed(
        version, {"push": {"ko": {"title": "새 제목", "body": "{{ name }}님"}}, "sms": {"ko": {"body": "hi"}}}
    )

    assert "지민님" in found["html"]
    assert found["html"].count("새 제목") == 3
    assert "GSM-7" in found["html"]
    assert found["mistakes"] == []
    assert TemplateVersion.objects.get().content == WELCOME


def test_a_mistake_is_told_with_its_place_and_hides_no_other_text() -> None:
    broken = {"push": {"ko": {"title": "좋아요", "body": "첫 줄\n{{ name"}, "en": {"title": "Fine", "body": "Fine"}}}
    found = previewed(draft(), broken)

    [mistake] = found["mistakes"]
    assert (mistake["channel"], mistake["locale"], mistake["field"]) == ("push", "ko", "body")
    assert mistake["line"] == 2
    assert "Fine" in found["html"]


@pytest.mark.parametrize(
    ("content", "sample", "field"),
    [('{"push": ', "{}", "content"), ("[]", "{}", "content"), (WELCOME, "[1]", "sample_data"), ("\x00", "", "content"),
     ('"\\ud800"', "{}", "content"), ("[" * 100_000, "{}", "content")],
)  # fmt: skip
def test_what_cannot_be_read_is_a_mistake(content: Any, sample: Any, field: str) -> None:
    found = previewed(draft(), content, sample)
    assert [one["channel"] for one in found["mistakes"]] == [field]


def test_what_a_writer_should_know_is_a_warning() -> None:
    content = {
        "push": {"ko": {"title": "긴 글", "body": "가" * 1500}, "en": {"title": "Hi", "body": "{{ who }}"}},
        "sms": {"ko": {"body": "가" * 300}},
        "email": {"ko": {"subject": "안녕", "html": "<p>안녕</p>"}},
    }
    warnings = "\n".join(told(previewed(draft(), content)))

    assert "push ko 4," in warnings
    assert "push en body who is missing in the data" in warnings
    assert "sms ko becomes 5 text messages" in warnings
    assert "email ko has no link to unsubscribe" in warnings
    assert "sms en is not written; ko stands in for it" in warnings


@pytest.mark.parametrize(
    ("html", "critical"), [("<a href='{{ unsubscribe_url }}'>그만</a>", False), ("<p>안녕</p>", True)]
)
def test_an_email_that_leads_out_or_is_critical_is_not_warned_of(html: str, critical: bool) -> None:
    content = {"email": {"ko": {"subject": "안녕", "html": html}}}
    assert told(previewed(draft(slug="alarms", is_critical=critical), content)) == []


def test_an_email_is_shown_where_nothing_runs_and_nothing_is_fetched() -> None:
    html = '<p>안녕</p><script>alert(1)</script><img src="https://x.example/p.png">"></iframe><b>'
    page = previewed(draft(), {"email": {"ko": {"subject": "<b>안녕", "html": html}}})["html"]

    assert page.count('sandbox=""') == 2
    assert "Content-Security-Policy" in page
    assert "<script" not in page
    assert "<b>" not in page


def test_a_text_message_tells_its_price_by_country() -> None:
    ProviderAccount.objects.create(name="twilio-live", provider="twilio", mode="live")
    today = timezone.now().date()
    SmsPrice.objects.create(provider="twilio", destination="KR", per_segment="0.05", currency="USD", valid_from=today)
    page = previewed(draft(), {"sms": {"ko": {"body": "가" * 100}}})["html"]

    assert "2 parts" in page
    assert "0.1 USD" in page


def test_partials_are_brought_in() -> None:
    Partial.objects.create(name="sign", title="Sign", kind="plain", texts={"ko": "봉수 드림"})
    assert "봉수 드림" in previewed(draft(), {"sms": {"ko": {"body": "{% render 'sign' %}"}}})["html"]


def test_a_person_is_shown_to_whoever_may_see_people() -> None:
    person("jimin", locale="ko-KR", attributes={"tier": "금"})
    version, content = draft(), {"sms": {"ko": {"body": "{{ recipient.tier }} 회원님"}}}

    found = previewed(version, content, recipient="jimin")
    assert "금 회원님" in found["html"]
    assert found["locale"] == "ko-KR"
    assert told(previewed(version, content, recipient="nobody", browser=signed_in("Marketer")), "mistakes")
    support = signed_in("Support")
    refused = previewed(version, content, recipient="jimin", browser=support)
    assert "금" not in refused["html"]
    assert "you may not see" in told(refused, "mistakes")[0]


def test_whoever_may_not_see_versions_sees_no_preview() -> None:
    user = User.objects.create(username="nobody", is_staff=True)
    browser = Client()
    browser.force_login(user)
    version = draft()
    assert browser.post(f"{ROOT}preview/", asked(version)).status_code == 403
    assert browser.post(f"{ROOT}try/", asked(version)).status_code == 403
    assert browser.post(f"{ROOT}{version.pk}/draft/").status_code == 403
    assert signed_in().get(f"{ROOT}preview/").status_code == 405


def test_the_page_begins_with_what_is_written_and_a_published_one_leads_to_a_draft() -> None:
    version = published(content=WELCOME)
    browser = signed_in()
    page = browser.get(f"{ROOT}{version.pk}/change/").content.decode()
    assert 'id="bongsu-content"' in page
    assert "Make a draft of it" in page

    answer = browser.post(f"{ROOT}{version.pk}/draft/", follow=True)
    assert "is a draft of" in shown(answer)
    assert 'name="content"' in answer.content.decode()
    assert TemplateVersion.objects.filter(state="draft").get().content == WELCOME


def tried(version: TemplateVersion, to: str, channel: str, *what: Any, browser: Client | None = None) -> dict[str, Any]:
    answer = (browser or signed_in()).post(f"{ROOT}try/", asked(version, *what, channel=channel, locale="ko", to=to))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def inbox(sandbox: Running) -> list[tuple[str, str]]:
    found = sandbox.admin("GET", "../inbox/messages").json()["messages"]
    return [(one["kind"], one["body"]) for one in found]


def test_a_test_reaches_a_phone_as_it_stands_here(providers: Running) -> None:
    said = tried(draft(), "+82 10-1234-5678", "sms", {"sms": {"ko": {"body": "{{ name }}님, 아직 저장 전"}}})
    assert said["ok"], said
    assert inbox(providers) == [("sms", "지민님, 아직 저장 전")]


def test_a_test_reaches_a_persons_devices(providers: Running) -> None:
    jimin = person("jimin")
    device(jimin, iphone("5b" * 32))
    device(jimin, iphone("6c" * 32))
    said = tried(draft(), "jimin", "push")
    assert said["ok"], said
    assert inbox(providers) == [("ios", "지민님, 반갑습니다.")] * 2


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_person_gets_a_test_once_however_many_providers_there_are(providers: Running, channel: str) -> None:
    ProviderAccount.objects.update(is_active=True)
    person("jimin", email="jimin@example.com", phone="+821012345678")
    content = {"sms": {"ko": {"body": "x"}}, "email": {"ko": {"subject": "s", "text": "x"}}}

    said = tried(draft(), "jimin", channel, content)

    assert said["ok"], said
    assert [kind for kind, _ in inbox(providers)] == [channel]


@pytest.mark.parametrize(
    ("to", "channel", "content", "why"),
    [
        ("", "sms", WELCOME, "Write where"),
        ("010", "sms", WELCOME, "external id"),
        ("+821012345678", "fax", WELCOME, "no such channel"),
        ("+821012345678", "sms", {"sms": {"ko": {"body": "{{"}}}, "sms.ko.body"),
        ("+821012345678", "sms", {"sms": {"ko": {"body": "{{ who }}"}}}, "who is missing"),
        ("+821012345678", "sms", {"sms": {"en": {"body": "hi"}}}, "sms.ko"),
    ],
)
def test_what_cannot_be_tried_says_why(providers: Running, to: str, channel: str, content: Any, why: str) -> None:
    said = tried(draft(), to, channel, content)
    assert not said["ok"]
    assert why in said["says"]
    assert inbox(providers) == []


def test_only_a_test_account_sends_a_test(providers: Running) -> None:
    ProviderAccount.objects.filter(mode="test").update(is_active=False)
    assert "no active test account for sms" in tried(draft(), "+821012345678", "sms")["says"]
    assert inbox(providers) == []
