"""The audit log: what staff change is in it, with who and what was before; nothing can be taken out or seen in full."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AppKey, Application, AuditEntry, Category, Recipient
from accounts.staff import audit
from accounts.staff.audit import Deed
from notifications.models import ProviderAccount
from tests.builders import administrator, application, caller, category, person, published, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return administrator()


def lines() -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    return [(line.action, line.model, line.before, line.after) for line in AuditEntry.objects.order_by("id")]


def posted(browser: Client, address: str, values: dict[str, Any]) -> None:
    answer = browser.post(address, values)
    assert answer.status_code == 302, answer.content.decode()[:5000]


def category_form(**values: Any) -> dict[str, Any]:
    usual = {
        "name": "News", "slug": "news", "consent": "opt_out", "in_doubt": "resend", "quiet_spread": 15,
        "routing": "all", "seen_within_days": 30, "escalate_after": 10, "reach": "all", "when_capped": "drop",
        "track_opens": "on", "track_clicks": "on", "attribution_days": 7,
        "caps-TOTAL_FORMS": 0, "caps-INITIAL_FORMS": 0,
    }  # fmt: skip
    return {**usual, **values}


def test_a_change_is_noted_with_what_was_before_and_by_whom(browser: Client) -> None:
    rules = category()

    posted(browser, f"/admin/accounts/category/{rules.pk}/change/", category_form(needs_approval="on"))

    (line,) = AuditEntry.objects.all()
    assert (line.actor_name, line.action, line.object_id) == ("admin", "changed", str(rules.pk))
    assert (line.before, line.after) == ({"needs_approval": False}, {"needs_approval": True})


def test_what_is_added_beneath_it_and_deleted_is_noted_too(browser: Client) -> None:
    rules = category()
    cap = {"caps-TOTAL_FORMS": 1, "caps-0-most": 3, "caps-0-hours": 24, "caps-0-category": rules.pk}
    posted(browser, f"/admin/accounts/category/{rules.pk}/change/", category_form(**cap))
    posted(browser, f"/admin/accounts/category/{rules.pk}/delete/", {"post": "yes"})

    assert [(action, model) for action, model, _, _ in lines()] == [
        ("added", "accounts.cap"),
        ("deleted", "accounts.category"),
    ]
    assert lines()[0][3]["most"] == 3
    assert lines()[1][2]["slug"] == "news"


def test_saving_without_a_change_is_no_line(browser: Client) -> None:
    rules = category()

    posted(browser, f"/admin/accounts/category/{rules.pk}/change/", category_form())

    assert lines() == []


def test_addresses_are_masked_and_a_change_of_them_is_still_seen(browser: Client) -> None:
    owner = person(email="jimin@example.com", phone="+821012345678")
    values = {
        "external_id": "jimin", "email": "other@example.com", "phone": "+821012345678", "attributes": "{}",
        "devices-TOTAL_FORMS": 0, "devices-INITIAL_FORMS": 0, "preferences-TOTAL_FORMS": 0,
        "preferences-INITIAL_FORMS": 0,
    }  # fmt: skip
    posted(browser, f"/admin/accounts/recipient/{owner.pk}/change/", values)

    (line,) = AuditEntry.objects.all()
    assert (line.before["email"], line.after["email"]) == ("j***@example.com", "o***@example.com")
    assert "phone" not in line.after


def test_a_key_is_noted_and_its_secret_is_not(browser: Client) -> None:
    owner = application()
    act = {"action": "create_live_key", "_selected_action": [str(owner.pk)]}
    posted(browser, "/admin/accounts/application/", act)
    key = AppKey.objects.get()
    posted(browser, "/admin/accounts/appkey/", {"action": "rotate_secret", "_selected_action": [key.pk]})
    posted(browser, "/admin/accounts/appkey/", {"action": "revoke", "_selected_action": [key.pk]})

    told = [(line.action, line.model) for line in AuditEntry.objects.order_by("id")]
    assert ("new secret", "accounts.appkey") in told
    assert ("create_live_key", "accounts.application") in told
    assert ("revoke", "accounts.appkey") in told
    kept = str(list(AuditEntry.objects.values()))
    assert "bs_" not in kept
    assert key.digest.hex() not in kept


def test_a_role_that_is_given_is_noted(browser: Client) -> None:
    user = User.objects.create(username="minsu", is_staff=True)
    support = Group.objects.get(name="Support")
    values = {
        "username": "minsu", "is_staff": "on", "is_active": "on", "groups": [support.pk],
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00",
    }  # fmt: skip
    posted(browser, f"/admin/auth/user/{user.pk}/change/", values)

    given = [line for line in AuditEntry.objects.all() if "groups" in line.after]
    assert [(line.before["groups"], line.after["groups"]) for line in given] == [([], ["Support"])]


def test_a_new_password_is_noted_without_it(browser: Client) -> None:
    user = User.objects.create_user("minsu", password="before-it")
    new = {"password1": "vN8!kfqz-long", "password2": "vN8!kfqz-long", "usable_password": "true"}
    posted(browser, f"/admin/auth/user/{user.pk}/password/", new)

    (line,) = AuditEntry.objects.all()
    assert (line.object_name, line.detail, line.after) == ("minsu", "a new password", {})


def test_credentials_of_an_account_are_not_kept() -> None:
    account = ProviderAccount(name="apns", provider="apns", credentials=b"sealed", settings={"topic": "a.b"})

    line = audit.note(
        account, Deed("added", after={"credentials": b"sealed", "settings.api_key": "k", "rank": 1}), None
    )

    assert line.after == {"credentials": "***", "settings.api_key": "***", "rank": 1}
    assert line.actor_name == "system"


def test_whoever_downloads_is_noted(browser: Client) -> None:
    owner = person()
    browser.post("/admin/accounts/recipient/", {"action": "consents_as_csv", "_selected_action": [str(owner.pk)]})

    assert [(action, model) for action, model, _, _ in lines()] == [("consents_as_csv", "accounts.recipient")]


@pytest.mark.parametrize("rewrite", [lambda lines: lines.update(action="x"), lambda lines: lines.delete()])
def test_the_database_lets_nobody_rewrite_it(rewrite: Callable[[Any], Any]) -> None:
    audit.note(category(), Deed("changed"), None)

    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        rewrite(AuditEntry.objects.all())


def test_what_is_older_than_two_years_may_be_deleted() -> None:
    line = AuditEntry(action="x", model="a.b", object_id="1", actor_name="system")
    line.at = timezone.now() - timedelta(days=731)
    line.save(force_insert=True)

    assert AuditEntry.objects.all().delete()[0] == 1


def test_nobody_writes_it_by_a_page_and_an_objects_history_leads_to_it(browser: Client) -> None:
    rules = category()
    line = audit.note(rules, Deed("changed", before={"name": "<b>"}, after={"name": "c"}), None)
    root = "/admin/accounts/auditentry/"

    assert browser.get(f"{root}add/").status_code == 403
    assert browser.post(f"{root}{line.pk}/change/", {"action": "x"}).status_code == 403
    assert browser.post(f"{root}{line.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "&lt;b&gt;" in shown(browser.get(f"{root}{line.pk}/change/"))
    link = f"{root}?model=accounts.category&amp;object_id={rules.pk}"
    assert link in shown(browser.get(f"/admin/accounts/category/{rules.pk}/history/"))
    assert f"/{line.pk}/change/" in shown(browser.get(link.replace("&amp;", "&")))


def test_programs_pay_nothing_for_it() -> None:
    program = caller()
    with CaptureQueriesContext(connection) as asked:
        assert program.put("/v1/recipients/jimin", {"email": "jimin@example.com"}).status_code in {200, 201}

    assert [query["sql"] for query in asked if "auditentry" in query["sql"]] == []
    assert not AuditEntry.objects.exists()
    assert (Recipient.objects.count(), Category.objects.count(), Application.objects.count()) == (1, 0, 1)


def test_actions_of_functions_that_note_themselves_are_noted_once(browser: Client) -> None:
    version = published()
    before = AuditEntry.objects.count()
    act = {"action": "new_draft", "_selected_action": [str(version.pk)]}
    posted(browser, "/admin/templates_app/templateversion/", act)

    made = AuditEntry.objects.order_by("id")[before:]
    assert sorted(line.action for line in made) == ["new_draft", "written"]
