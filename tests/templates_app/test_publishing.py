"""draft → published → retired, and what the rest of the platform gets to see of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.channels import Channel
from accounts.models import Category
from templates_app import catalogue, publishing, starter
from templates_app.models import Template, TemplateVersion, VersionState
from templates_app.publishing import NotPublishable
from templates_app.rendering import ContentError
from templates_app.variables import LINK_STAND_INS
from tests.builders import WELCOME, published, template

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SMS = {"sms": {"ko": {"body": "안녕"}}}


def states() -> dict[int, str]:
    return dict(TemplateVersion.objects.order_by("number").values_list("number", "state"))


def draft(owner: Template, content: Any = WELCOME, **more: Any) -> TemplateVersion:
    return publishing.create_draft(owner, publishing.Draft(content, **more))


def test_drafts_are_numbered_within_their_template() -> None:
    first, other = template("first"), template("other")

    assert [draft(first).number, draft(first).number, draft(other).number] == [1, 2, 1]


def test_content_that_cannot_be_compiled_is_no_draft() -> None:
    with pytest.raises(ContentError):
        draft(template(), {"sms": {"ko": {"body": "{{ a"}}})

    assert states() == {}


def test_publishing_dates_a_draft_and_retires_the_version_before() -> None:
    owner = template()
    first, second = draft(owner), draft(owner)
    publishing.publish(first, NOW)

    publishing.publish(second, NOW + timedelta(hours=1))

    assert (second.state, second.published_at) == ("published", NOW + timedelta(hours=1))
    first.refresh_from_db()
    assert (first.state, first.published_at) == ("retired", NOW)


def test_publishing_one_template_leaves_the_others() -> None:
    publishing.publish(draft(template("first")), NOW)
    publishing.publish(draft(template("other")), NOW)

    assert TemplateVersion.objects.filter(state=VersionState.PUBLISHED).count() == 2


def test_only_a_draft_can_be_published() -> None:
    owner = template()
    first, second = draft(owner), draft(owner)
    publishing.publish(first, NOW)
    publishing.publish(second, NOW)

    for version in (first, second):
        with pytest.raises(NotPublishable, match="Only a draft"):
            publishing.publish(version, NOW)

    assert states() == {1: "retired", 2: "published"}


NOT_PUBLISHABLE: list[tuple[str, Any, dict[str, Any], str]] = [
    ("the default locale is not written", {"sms": {"en": {"body": "x"}}}, {}, "sms says nothing in ko"),
    (
        "on one channel the default locale is not written",
        {**SMS, "push": {"en": {"title": "x", "body": "y"}}},
        {},
        "push says nothing in ko",
    ),
    (
        "sample data lacks a variable",
        WELCOME,
        {"nickname": "지민"},
        "With the sample data: push.ko.body: name is missing",
    ),
    (
        "sample data lacks a variable of another locale",
        {"sms": {"ko": {"body": "안녕"}, "en": {"body": "Hi {{ name }}"}}},
        {"nickname": "지민"},
        "With the sample data: sms.en.body: name is missing",
    ),
    ("sample data leaves nothing of a text", WELCOME, {"name": "\0"}, "NUL"),
]


@pytest.mark.parametrize(
    ("content", "sample", "why"), [c[1:] for c in NOT_PUBLISHABLE], ids=[c[0] for c in NOT_PUBLISHABLE]
)
def test_what_would_not_work_is_not_published(content: Any, sample: dict[str, Any], why: str) -> None:
    version = draft(template(), content)
    version.sample_data = sample

    with pytest.raises(NotPublishable, match=why):
        publishing.publish(version, NOW)

    assert states() == {1: "draft"}


def test_content_that_was_spoilt_since_is_not_published() -> None:
    version = draft(template(), SMS)
    version.content = {"sms": {"ko": {"body": "{% if %}"}}}

    with pytest.raises(NotPublishable, match=r"sms\.ko\.body"):
        publishing.publish(version, NOW)


def test_a_stand_in_for_the_default_locale_is_enough() -> None:
    publishing.publish(draft(template(default_locale="ko-KR"), SMS), NOW)

    assert states() == {1: "published"}


@pytest.mark.parametrize("values", [{"state": "published"}, {"published_at": NOW}, {"state": "unheard"}])
def test_the_database_knows_no_half_published_version(values: dict[str, Any]) -> None:
    version = draft(template())

    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateVersion.objects.filter(pk=version.pk).update(**values)


def test_the_database_knows_one_published_version_at_most() -> None:
    owner = template()
    publishing.publish(draft(owner), NOW)
    second = draft(owner)

    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateVersion.objects.filter(pk=second.pk).update(state=VersionState.PUBLISHED, published_at=NOW)


def test_the_catalogue_gives_the_published_version_and_what_rules_need() -> None:
    version = published(sample_data={"name": "지민"})
    draft(version.template, SMS)

    edition = catalogue.published("welcome")

    assert edition is not None
    assert (edition.version_id, edition.template, edition.number) == (version.id, "welcome", 1)
    assert (edition.category.slug, edition.category.consent, edition.default_locale) == ("news", "opt_out", "ko")
    assert edition.channels == (Channel.PUSH, Channel.SMS)
    assert edition.sample_data == {"name": "지민"}
    assert [edition.locale_for(Channel.PUSH, wanted) for wanted in ("en-GB", "fr", "")] == ["en", "ko", "ko"]
    assert edition.locale_for(Channel.SMS, "en") == "ko"
    assert edition.locale_for(Channel.EMAIL, "ko") is None


@pytest.mark.parametrize("name", ["nobody", "draft-only", "a\u2028b"])
def test_the_catalogue_gives_nothing_that_is_not_published(name: str) -> None:
    draft(template("draft-only"))

    assert catalogue.published(name) is None


def test_publishing_takes_effect_here_at_once(django_capture_on_commit_callbacks: Any) -> None:
    first = published()
    assert catalogue.published("welcome") == catalogue.edition(first.id)
    second = draft(first.template, SMS)

    with django_capture_on_commit_callbacks(execute=True):
        publishing.publish(second, NOW)

    newest = catalogue.published("welcome")
    assert newest is not None
    assert (newest.number, newest.channels) == (2, (Channel.SMS,))


def test_what_changed_elsewhere_is_seen_when_it_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    version = published()
    before = catalogue.published("welcome")
    Category.objects.update(is_critical=True)

    assert catalogue.published("welcome") is before, "still fresh"
    catalogue.forget()
    monkeypatch.setattr(catalogue, "FRESH_FOR", 0.0)

    for edition in (catalogue.published("welcome"), catalogue.edition(version.id)):
        assert edition is not None
        assert edition.category.is_critical
    TemplateVersion.objects.update(state=VersionState.RETIRED)
    assert catalogue.published("welcome") is None


def test_a_retired_version_can_still_be_read_back_and_a_draft_cannot() -> None:
    first = published()
    second = draft(first.template)
    with pytest.raises(TemplateVersion.DoesNotExist):
        catalogue.edition(second.id)
    publishing.publish(second, NOW)
    catalogue.forget()

    edition = catalogue.edition(first.id)

    assert (edition.number, edition.content.channels) == (1, (Channel.PUSH, Channel.SMS))


def test_the_sample_templates_are_installed_once() -> None:
    starter.install_starters()
    starter.install_starters()

    edition = catalogue.published("restock")
    assert edition is not None
    assert edition.channels == tuple(Channel)
    for channel in Channel:
        for locale in edition.content.locales(channel):
            edition.content.render(channel, locale, {**edition.sample_data, **LINK_STAND_INS})
    numbers = TemplateVersion.objects.values_list("number", "state")
    assert list(numbers) == [(1, "published")] * 10


def test_what_people_made_of_a_sample_template_is_left_alone() -> None:
    own = published("restock")
    starter.install_starters()

    assert list(own.template.versions.all()) == [own]
    assert Template.objects.count() == 10


LIST = "{% for item in items %}{{ item.name }}{% endfor %}"


def test_sample_data_of_one_message_is_enough_to_publish_a_text_for_many() -> None:
    owner = template()
    version = draft(owner, {"sms": {"ko": {"body": LIST + "{{ count }}"}}}, sample_data={"name": "지민"})

    publishing.publish(version, NOW)

    assert states() == {1: "published"}


@pytest.mark.parametrize(
    "other",
    [
        {"sms": {"ko": {"body": LIST}, "en": {"body": "{{ name }} wrote"}}},
        {"sms": {"ko": {"body": LIST}}, "push": {"ko": {"title": "새 글", "body": "{{ name }}"}}},
    ],
    ids=["another language", "another channel"],
)
def test_a_text_for_many_beside_one_that_tells_of_one_is_not_published(other: Any) -> None:
    with pytest.raises(NotPublishable, match="tells of one message, where other texts tell of all"):
        publishing.publish(draft(template(), other), NOW)

    assert states() == {1: "draft"}


def test_a_text_that_tells_of_none_may_stand_beside_the_list() -> None:
    content = {"sms": {"ko": {"body": LIST}}, "push": {"ko": {"title": "새 글", "body": "새 글이 있습니다."}}}

    publishing.publish(draft(template(), content), NOW)

    assert states() == {1: "published"}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"body": "{{ a }}"}, r"push.ko becomes \d+ bytes; push services take 4096"),
        ({"body": "b", "overrides": {"ios": {"body": "{{ a }}"}}}, r"push.ko becomes \d+ bytes on ios"),
        ({"body": "b", "buttons": [{"id": "x", "label": "{{ a }}"}]}, r"push.ko becomes \d+ bytes"),
        ({"body": "b", "ttl": "{{ a }}"}, "push.ko.ttl: must be a whole number"),
    ],
)
def test_a_push_that_no_service_takes_is_not_published(said: dict[str, Any], message: str) -> None:
    version = draft(template(), {"push": {"ko": {"title": "t", **said}}}, sample_data={"a": "가" * 1400})

    with pytest.raises(NotPublishable, match=message):
        publishing.publish(version, NOW)
