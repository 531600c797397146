"""Review: by somebody else where the category wants it, of what was read, once."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from templates_app import publishing, reviewing
from templates_app.models import TemplateVersion
from templates_app.publishing import Draft
from templates_app.reviewing import NotAllowed
from tests.at_once import in_threads
from tests.builders import WELCOME, category, published, template

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SMS = {"sms": {"ko": {"body": "안녕"}}}


def staff(name: str) -> User:
    return User.objects.get_or_create(username=name, is_staff=True)[0]


def strict_draft(by: str = "writer", content: Any = SMS) -> TemplateVersion:
    owner = template("strict", category=category("strict", needs_approval=True))
    return publishing.create_draft(owner, publishing.Draft(content), by=staff(by))


def in_review() -> TemplateVersion:
    version = strict_draft()
    reviewing.submit_for_review(version, NOW, by=staff("writer"), comment="please")
    return version


def story(version: TemplateVersion) -> list[tuple[str, str, str]]:
    return [(step.kind, step.by_name, step.comment) for step in reviewing.steps_of(version)]


def test_a_version_goes_from_its_writer_to_an_approver_and_its_story_says_so() -> None:
    version = in_review()
    reviewing.send_back(version, NOW, by=staff("approver"), comment="too short")
    reviewing.edit(version, Draft(WELCOME, {"name": "지민"}), NOW, staff("second"))
    reviewing.submit_for_review(version, NOW, by=staff("second"))
    reviewing.approve(version, NOW, by=staff("approver"))

    assert (version.state, version.published_at, version.content) == ("published", NOW, WELCOME)
    assert [(kind, by) for kind, by, _ in story(version)] == [
        ("submitted", "writer"), ("sent_back", "approver"), ("written", "second"), ("submitted", "second"),
        ("approved", "approver"), ("written", "writer"),
    ]  # fmt: skip


@pytest.mark.parametrize("by", ["writer", "second"])
def test_nobody_who_wrote_it_approves_it(by: str) -> None:
    version = strict_draft()
    reviewing.edit(version, Draft(SMS, {}), NOW, staff("second"))
    reviewing.submit_for_review(version, NOW, by=staff("writer"))

    with pytest.raises(NotAllowed, match="did not write it"):
        reviewing.approve(version, NOW, by=staff(by))


def test_what_needs_an_approval_is_not_just_published() -> None:
    with pytest.raises(NotAllowed, match="wants an approval"):
        publishing.publish(strict_draft(), NOW, by=staff("approver"))


def test_what_was_changed_since_it_was_read_is_not_approved() -> None:
    version = in_review()
    seen = reviewing.fingerprint(version)
    reviewing.send_back(version, NOW, by=staff("approver"), comment="no")
    reviewing.edit(version, Draft({"sms": {"ko": {"body": "다른 말"}}}, {}), NOW, staff("writer"))
    reviewing.submit_for_review(version, NOW, by=staff("writer"))

    with pytest.raises(NotAllowed, match="changed since"):
        reviewing.approve(version, NOW, by=staff("approver"), seen=seen)
    reviewing.approve(version, NOW, by=staff("approver"), seen=reviewing.fingerprint(version))


def test_what_is_in_review_cannot_be_changed() -> None:
    version = in_review()

    with pytest.raises(NotAllowed, match="Only a draft"):
        reviewing.edit(version, Draft(WELCOME, {}), NOW, staff("writer"))
    with pytest.raises(IntegrityError, match="Only a draft"), transaction.atomic():
        TemplateVersion.objects.filter(pk=version.pk).update(content=WELCOME)


def test_sending_back_wants_a_word() -> None:
    with pytest.raises(NotAllowed, match="what should be changed"):
        reviewing.send_back(in_review(), NOW, by=staff("approver"), comment=" ")


@pytest.mark.parametrize(
    "values", [{"content": SMS}, {"sample_data": {"a": 1}}, {"number": 9}, {"state": "draft"}, {"published_at": NOW}]
)
def test_the_database_lets_nobody_change_what_was_published(values: dict[str, Any]) -> None:
    version = published()

    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateVersion.objects.filter(pk=version.pk).update(**values)


def test_going_back_publishes_a_copy_with_a_number_of_its_own() -> None:
    first = published()
    publishing.publish(publishing.create_draft(first.template, publishing.Draft(SMS)), NOW)
    first.refresh_from_db()

    done = reviewing.roll_back(first, NOW, by=staff("writer"))

    assert (done.version.number, done.version.content, done.is_published) == (3, WELCOME, True)
    assert done.says == "welcome: v3, a copy of v1, is published. v2 is retired."
    first.refresh_from_db()
    assert first.state == "retired"


def test_going_back_waits_for_an_approval_where_one_is_wanted() -> None:
    first = in_review()
    reviewing.approve(first, NOW, by=staff("approver"))
    second = publishing.create_draft(first.template, publishing.Draft(WELCOME), by=staff("writer"))
    reviewing.submit_for_review(second, NOW, by=staff("writer"))
    reviewing.approve(second, NOW, by=staff("approver"))
    first.refresh_from_db()

    done = reviewing.roll_back(first, NOW, by=staff("approver"))

    assert (done.version.state, done.is_published) == ("in_review", False)
    assert "waits for an approval" in done.says
    with pytest.raises(NotAllowed, match="did not write it"):
        reviewing.approve(done.version, NOW, by=staff("approver"))


def test_only_what_was_retired_can_be_gone_back_to() -> None:
    with pytest.raises(NotAllowed, match="Only a retired"):
        reviewing.roll_back(published(), NOW, by=None)


def test_every_step_is_in_the_audit_log_with_what_changed() -> None:
    version = strict_draft()
    reviewing.edit(version, Draft({"sms": {"ko": {"body": "새 말"}}}, {}), NOW, staff("second"))

    line = AuditEntry.objects.about(version)[0]
    assert (line.action, line.actor_name) == ("written", "second")
    assert (line.before, line.after) == ({"content.sms.ko.body": "안녕"}, {"content.sms.ko.body": "새 말"})


def at_once(*works: Callable[[], object]) -> Sequence[object]:
    """What each of these came to: a refusal, or nothing."""

    def told(work: Callable[[], object]) -> object:
        try:
            work()
        except NotAllowed as error:
            return error
        return None

    return in_threads(*(partial(told, work) for work in works))


def own(version: TemplateVersion) -> TemplateVersion:
    return TemplateVersion.objects.get(pk=version.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_again", range(3))
def test_of_two_approvers_at_once_one_approves(_again: int) -> None:
    version = in_review()
    one, two = own(version), own(version)
    first, second = staff("one"), staff("two")

    came = at_once(lambda: reviewing.approve(one, NOW, by=first), lambda: reviewing.approve(two, NOW, by=second))

    assert [type(error) for error in came if error] == [NotAllowed]
    assert [kind for kind, _, _ in story(version)].count("approved") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_again", range(3))
def test_whoever_edits_while_it_is_given_to_review_is_in_it_or_is_told(_again: int) -> None:
    version = strict_draft()
    one, two = own(version), own(version)
    writer, second = staff("writer"), staff("second")

    _, edited = at_once(
        lambda: reviewing.submit_for_review(one, NOW, by=writer),
        lambda: reviewing.edit(two, Draft({"sms": {"ko": {"body": "늦은 말"}}}, {}), NOW, second),
    )

    said = own(version)
    assert said.state == "in_review"
    assert said.content == (SMS if edited else {"sms": {"ko": {"body": "늦은 말"}}})


@pytest.mark.django_db(transaction=True)
def test_approved_and_sent_back_at_once_is_one_of_both() -> None:
    version = in_review()
    one, two = own(version), own(version)
    first, second = staff("one"), staff("two")

    came = at_once(
        lambda: reviewing.approve(one, NOW, by=first),
        lambda: reviewing.send_back(two, NOW, by=second, comment="no"),
    )

    assert len([error for error in came if error]) == 1
    assert own(version).state == ("draft" if came[0] else "published")
