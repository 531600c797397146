"""The pages of a review: each role is offered what it may do, and the page that compares two versions."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from templates_app import publishing, reviewing
from templates_app.models import TemplateVersion
from tests.builders import WELCOME, category, published, shown, template

pytestmark = pytest.mark.django_db

ROOT = "/admin/templates_app/templateversion/"


def signed_in(role: str) -> Client:
    user = User.objects.create(username=role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(user)
    return browser


def strict_draft() -> TemplateVersion:
    return publishing.create_draft(
        template("strict", category=category("strict", needs_approval=True)), publishing.Draft(WELCOME)
    )


def test_an_editor_asks_and_an_approver_publishes() -> None:
    version, editor, approver = strict_draft(), signed_in("Template editor"), signed_in("Approver")
    page = shown(editor.get(f"{ROOT}{version.pk}/change/"))
    assert 'value="submit"' in page
    assert 'value="publish"' not in page

    editor.post(f"{ROOT}{version.pk}/move/", {"move": "submit", "comment": "please"})
    assert editor.post(f"{ROOT}{version.pk}/move/", {"move": "approve"}).status_code == 403
    page = shown(approver.get(f"{ROOT}{version.pk}/change/"))
    assert 'value="approve"' in page
    assert "please" in page
    seen = reviewing.fingerprint(version)
    answer = approver.post(f"{ROOT}{version.pk}/move/", {"move": "approve", "seen": seen}, follow=True)

    assert "Strict v1 is approved and published." in shown(answer)
    assert TemplateVersion.objects.get().state == "published"


def test_one_click_goes_back_and_says_so() -> None:
    first = published()
    publishing.publish(
        publishing.create_draft(first.template, publishing.Draft({"sms": {"ko": {"body": "새 말"}}})), timezone.now()
    )

    answer = signed_in("Approver").post(f"{ROOT}{first.pk}/move/", {"move": "roll_back"}, follow=True)

    assert "Welcome: v3, a copy of v1, is published. v2 is retired." in shown(answer)


def test_two_versions_are_compared_and_their_text_is_text() -> None:
    first = published(content={"sms": {"ko": {"body": "신발이 왔어요"}}})
    second = publishing.create_draft(first.template, publishing.Draft({"sms": {"ko": {"body": "<script>가 왔어요"}}}))

    page = shown(signed_in("Marketer").get(f"{ROOT}compare/?after={second.pk}"))

    assert "<del>[&minus;신발이&minus;]</del><ins>[+&lt;script&gt;가+]</ins> 왔어요" in page
    assert "<script>가" not in page


@pytest.mark.parametrize("asked", ["", "?after=x", "?before=1&after=2"])
def test_what_is_not_there_is_not_compared(asked: str) -> None:
    assert signed_in("Marketer").get(f"{ROOT}compare/{asked}").status_code == 404


@pytest.mark.parametrize("move", ["", "edit", "delete", "publish"])
def test_what_is_no_move_of_theirs_is_refused(move: str) -> None:
    assert signed_in("Marketer").post(f"{ROOT}{strict_draft().pk}/move/", {"move": move}).status_code == 403
