"""The admin pages of `templates_app`: drafts are written, published ones are read."""

import json
import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from templates_app import publishing
from templates_app.models import Template, TemplateVersion
from tests.builders import WELCOME, administrator, category, published, shown, template

pytestmark = pytest.mark.django_db

TEMPLATES, VERSIONS = "/admin/templates_app/template/", "/admin/templates_app/templateversion/"


@pytest.fixture
def browser() -> Client:
    return administrator()


def draft() -> TemplateVersion:
    return publishing.create_draft(template(), publishing.Draft(WELCOME, {"name": "지민"}))


def version_form(owner: Template, **values: Any) -> dict[str, Any]:
    return {"template": owner.pk, "content": json.dumps(WELCOME), "sample_data": "{}", **values}


def do(browser: Client, action: str, *chosen: TemplateVersion) -> list[str]:
    answer = browser.post(VERSIONS, {"action": action, "_selected_action": [version.pk for version in chosen]})
    assert answer.status_code == 302, answer.content
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_every_page_opens(browser: Client) -> None:
    version, other = draft(), published("other")

    for page in (
        TEMPLATES, f"{TEMPLATES}?q=welcome", f"{TEMPLATES}add/", f"{TEMPLATES}{version.template_id}/change/",
        VERSIONS, f"{VERSIONS}?q=welcome", f"{VERSIONS}add/", f"{VERSIONS}{version.pk}/change/",
        f"{VERSIONS}{other.pk}/change/", f"{VERSIONS}{version.pk}/delete/", f"{VERSIONS}{version.pk}/history/",
    ):  # fmt: skip
        shown(browser.get(page))


def template_form(**values: Any) -> dict[str, Any]:
    usual = {"name": "hi", "title": "Hi", "category": category().pk, "default_locale": "ko"}
    return {**usual, "versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0, **values}


def test_a_template_keeps_its_default_locale_as_content_must_name_it(browser: Client) -> None:
    assert browser.post(f"{TEMPLATES}add/", template_form(default_locale="ko_kr")).status_code == 302

    assert Template.objects.get().default_locale == "ko-KR"


@pytest.mark.parametrize("values", [{"name": "two words"}, {"default_locale": "korean!"}, {"category": ""}])
def test_a_template_that_could_not_be_sent_is_not_kept(browser: Client, values: dict[str, str]) -> None:
    assert "errorlist" in shown(browser.post(f"{TEMPLATES}add/", template_form(**values)))

    assert not Template.objects.exists()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"routing": "all", "routing_order": "push"}, "there is no order"),
        ({"routing": "escalate", "routing_order": "push"}, "nothing to go on to"),
        ({"routing": "cheapest", "seen_within_days": "0"}, "within no days"),
        ({"escalate_after": "1441"}, "At most a day"),
    ],
)
def test_a_way_that_cannot_be_meant_is_refused_with_the_reason(
    browser: Client, values: dict[str, str], says: str
) -> None:
    assert says in shown(browser.post(f"{TEMPLATES}add/", template_form(**values)))

    assert not Template.objects.exists()


def test_a_new_version_is_a_draft_with_the_next_number(browser: Client) -> None:
    owner = published().template

    answer = browser.post(f"{VERSIONS}add/", version_form(owner, sample_data='{"name": "지민"}'))

    assert answer.status_code == 302, answer.content
    made = TemplateVersion.objects.get(number=2)
    assert (made.state, made.content, made.sample_data) == ("draft", WELCOME, {"name": "지민"})
    assert TemplateVersion.objects.count() == 2


BAD: list[tuple[str, dict[str, str], str]] = [
    ("no JSON", {"content": "{"}, "valid JSON"),
    ("a mistake in a text", {"content": '{"sms": {"ko": {"body": "x\\n{{ a | b }}"}}}'}, "sms.ko.body (line 2, column"),
    ("an unknown channel", {"content": '{"pigeon": {}}'}, "unknown channel"),
    ("a list", {"content": "[1]"}, "write an object"),
    ("sample data nested too deeply", {"sample_data": "[" * 5000}, "too deeply"),
    ("content nested too deeply", {"content": "[" * 5000}, "too deeply"),
    ("sample data that is a list", {"sample_data": "[1]"}, "Write an object"),
    ("sample data that is a text", {"sample_data": '"abc"'}, "Write an object"),
    ("sample data with NUL", {"sample_data": '{"name": "\\u0000"}'}, "NUL"),
    ("sample data that is no number", {"sample_data": '{"name": NaN}'}, "NaN"),
]


@pytest.mark.parametrize(("values", "why"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_is_wrong_is_said_before_anything_is_kept(browser: Client, values: dict[str, str], why: str) -> None:
    page = browser.post(f"{VERSIONS}add/", version_form(template(), **values))

    assert why in shown(page)
    assert not TemplateVersion.objects.exists()


def test_sample_data_may_hold_backslashes(browser: Client) -> None:
    answer = browser.post(f"{VERSIONS}add/", version_form(template(), sample_data='{"name": "\\\\u0000"}'))

    assert answer.status_code == 302, answer.content
    assert TemplateVersion.objects.get().sample_data == {"name": "\\u0000"}


def test_a_draft_can_be_changed_but_not_moved_to_another_template(browser: Client) -> None:
    version, other = draft(), template("other")
    content = {"sms": {"ko": {"body": "안녕"}}}

    answer = browser.post(f"{VERSIONS}{version.pk}/change/", version_form(other, content=json.dumps(content)))

    assert answer.status_code == 302, answer.content
    changed = TemplateVersion.objects.get()
    assert (changed.content, changed.template_id, changed.number) == (content, version.template_id, 1)


def test_of_two_who_write_on_one_draft_the_second_is_told_what_the_first_saved(browser: Client) -> None:
    version = draft()
    page = f"{VERSIONS}{version.pk}/change/"
    (opened,) = re.findall(r'name="opened" value="(\w+)"', shown(browser.get(page)))
    mine, theirs = ({"sms": {"ko": {"body": words}}} for words in ("안녕", "여보세요"))

    def saved(content: dict[str, Any]) -> Any:
        return browser.post(page, version_form(version.template, content=json.dumps(content), opened=opened))

    assert saved(mine).status_code == 302
    told = shown(saved(theirs))

    assert "after you opened it" in told
    assert TemplateVersion.objects.get().content == mine


def test_a_published_version_cannot_be_changed_or_deleted(browser: Client) -> None:
    version = published()

    answers = [
        browser.post(f"{VERSIONS}{version.pk}/change/", version_form(version.template, content='{"sms": {}}')),
        browser.post(f"{VERSIONS}{version.pk}/delete/", {"post": "yes"}),
    ]
    browser.post(VERSIONS, {"action": "delete_selected", "_selected_action": [version.pk], "post": "yes"})
    browser.post(f"{TEMPLATES}{version.template_id}/delete/", {"post": "yes"})

    assert [answer.status_code for answer in answers] == [403, 403]
    kept = TemplateVersion.objects.get()
    assert (kept.content, kept.state) == (WELCOME, "published")


def test_publishing_says_what_was_published(browser: Client) -> None:
    assert do(browser, "publish", draft()) == ["welcome v1 is published."]

    assert TemplateVersion.objects.get().state == "published"


def test_publishing_reports_what_cannot_be_published_and_goes_on_with_the_rest(browser: Client) -> None:
    lacking = publishing.create_draft(template("lacking"), publishing.Draft(WELCOME, {"nickname": "x"}))
    old, good = published("old"), draft()

    said = do(browser, "publish", lacking, old, good)

    assert set(said) == {
        "lacking v1: With the sample data: push.en.body: name is missing in the data.",
        "old v1: Only a draft can be published; make a new draft of this version instead. It is published.",
        "welcome v1 is published.",
    }


def test_a_published_version_is_continued_by_a_draft_of_it(browser: Client) -> None:
    version = published(sample_data={"name": "지민"})

    assert do(browser, "new_draft", version) == ["welcome v2 is a draft of welcome v1."]

    made = TemplateVersion.objects.get(number=2)
    assert (made.state, made.content, made.sample_data) == ("draft", WELCOME, {"name": "지민"})
