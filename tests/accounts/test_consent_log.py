"""Proof of consent: every way by which it changes leaves a line, and no line is ever changed."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from accounts import consent, consent_log
from accounts.channels import Channel
from accounts.consent import Choice
from accounts.models import Category, ConsentChange, Preference, Recipient, Suppression
from accounts.replies import Reply, Wish
from accounts.suppressions import Cause, heed, lift, suppress
from tests.builders import administrator, caller, category, person, witness

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ADMIN = "/admin/accounts"


@pytest.fixture
def jimin() -> Recipient:
    category("news")
    return person(email="jimin@people.example", phone="+821012345678")


def lines() -> list[tuple[str, ...]]:
    """Who, by which way, about what, from what to what."""
    columns = ("actor", "via", "category", "channel", "before", "after")
    return list(ConsentChange.objects.order_by("id").values_list(*columns))


def test_an_application_is_named_with_where_the_person_said_so(jimin: Recipient) -> None:
    api, path = caller(name="shop"), "/v1/recipients/jimin/preferences"
    wanted = {"preferences": [{"category": "news", "allowed": True}], "source": "sign-up form"}

    api.put(path, wanted)
    api.patch(path, {"preferences": [{"category": "news", "allowed": False}]})
    api.patch(path, {"preferences": [{"category": "news", "allowed": False}]})
    api.put(path, {"preferences": [{"channel": "sms", "allowed": False}]})
    api.delete(path)

    assert lines() == [
        ("application", "api", "news", "", "", "allowed"),
        ("application", "api", "news", "", "allowed", "refused"),
        ("application", "api", "", "sms", "", "refused"),
        ("application", "api", "news", "", "refused", ""),
        ("application", "api", "", "sms", "refused", ""),
    ]
    first = ConsentChange.objects.earliest("id")
    assert (first.actor_name, first.detail, first.recipient_id) == ("shop", "sign-up form", jimin.pk)


def test_what_admins_change_is_logged_with_their_name(jimin: Recipient) -> None:
    browser, news = administrator(), category("news")
    fields = {"recipient": jimin.pk, "category": news.pk, "channel": "email", "source": ""}
    browser.post(f"{ADMIN}/preference/add/", {**fields, "allowed": "on"})
    choice = Preference.objects.get()
    browser.post(f"{ADMIN}/preference/{choice.pk}/change/", {**fields, "allowed": ""})
    browser.post(f"{ADMIN}/preference/{choice.pk}/delete/", {"post": "yes"})
    browser.post(f"{ADMIN}/suppression/add/", {"channel": "email", "address": jimin.email, "cause": "manual"})
    suppressed = Suppression.objects.get()
    chosen = {"action": "delete_selected", "_selected_action": [suppressed.pk], "post": "yes"}
    browser.post(f"{ADMIN}/suppression/", chosen)

    assert [line[2:] for line in lines()] == [
        ("news", "email", "", "allowed"),
        ("news", "email", "allowed", "refused"),
        ("news", "email", "refused", ""),
        ("", "email", "", "suppressed: manual"),
        ("", "email", "suppressed: manual", ""),
    ]
    assert set(ConsentChange.objects.values_list("actor", "via", "actor_name")) == {("admin", "admin", "admin")}


def test_a_category_that_is_deleted_takes_its_choices_along_and_the_log_keeps_them(jimin: Recipient) -> None:
    consent.choose(jimin, [Choice(allowed=True, category=category("news"))], NOW, witness())
    consent.refuse(Channel.EMAIL, "kim@people.example", category("news"), NOW, witness())
    browser = administrator()

    browser.post(f"{ADMIN}/category/{category('news').pk}/delete/", {"post": "yes"})

    assert not Category.objects.exists()
    assert [(line[2], line[4], line[5]) for line in lines()[2:]] == [("news", "allowed", ""), ("news", "refused", "")]


def test_keywords_and_what_providers_say_are_logged_once(jimin: Recipient) -> None:
    for minute, wish in enumerate((Wish.STOP, Wish.START, Wish.START)):
        heed(Reply(jimin.phone, wish, wish.value, NOW + timedelta(minutes=minute), f"m{minute}"), "twilio-live")
    for _ in range(2):
        suppress(Channel.EMAIL, jimin.email, Cause.COMPLAINT, NOW, witness())
    lift(Channel.EMAIL, jimin.email, NOW, witness())

    assert [line[1:2] + line[3:] for line in lines()] == [
        ("sms_keyword", "sms", "", "suppressed: stop"),
        ("sms_keyword", "sms", "suppressed: stop", ""),
        ("admin", "email", "", "suppressed: complaint"),
        ("admin", "email", "suppressed: complaint", ""),
    ]


def test_what_fails_leaves_no_line(jimin: Recipient) -> None:
    nobody = Choice(allowed=True, channel="pigeons")  # type: ignore[arg-type] # what the database refuses
    with pytest.raises(DatabaseError), transaction.atomic():
        consent.choose(jimin, [Choice(allowed=True), nobody], NOW, witness())
    assert lines() == []
    assert not Preference.objects.exists()


def test_no_line_is_ever_changed(jimin: Recipient) -> None:
    consent.choose(jimin, [Choice(allowed=True)], NOW, witness())
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        ConsentChange.objects.update(after="refused")
    browser, line = administrator(), ConsentChange.objects.get()
    assert browser.get(f"{ADMIN}/consentchange/{line.pk}/change/").status_code == 200
    for page in (f"{line.pk}/change/", f"{line.pk}/delete/", "add/"):
        assert browser.post(f"{ADMIN}/consentchange/{page}", {"after": "refused", "post": "yes"}).status_code == 403
    assert ConsentChange.objects.get().after == "allowed"


# --- export ------------------------------------------------------------------------------------------
def test_an_export_has_all_that_concerns_a_person_and_nothing_of_others(jimin: Recipient, capsys: Any) -> None:
    minsu = person("minsu", email="minsu@people.example")
    consent.choose(jimin, [Choice(allowed=False, channel=Channel.SMS)], NOW, witness("at the desk"))
    suppress(Channel.SMS, jimin.phone, Cause.STOP, NOW, witness('=HYPERLINK("http://evil.example")'))
    consent.choose(minsu, [Choice(allowed=True)], NOW, witness())

    call_command("consents", "export", "jimin", "--format", "json")
    told = json.loads(capsys.readouterr().out)
    assert [(one["about"], one["recipient"], one["after"]) for one in told] == [
        ("preference", "jimin", "refused"), ("suppression", "jimin", "suppressed: stop"),
    ]  # fmt: skip
    assert told[0]["detail"] == "at the desk"

    call_command("consents", "export", "jimin", "minsu")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["recipient"] for row in rows] == ["jimin", "jimin", "minsu"]
    assert tuple(rows[0]) == consent_log.COLUMNS
    assert rows[1]["detail"].startswith("'=")
    assert rows[1]["address"] == "+821012345678"


def test_an_export_of_nobody_says_so() -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("consents", "export", "nobody")


@pytest.mark.parametrize(
    ("action", "kind"), [("consents_as_csv", "text/csv"), ("consents_as_json", "application/json")]
)
def test_an_admin_downloads_it(jimin: Recipient, action: str, kind: str) -> None:
    consent.choose(jimin, [Choice(allowed=False)], NOW, witness())
    browser: Client = administrator()
    answer: Any = browser.post(f"{ADMIN}/recipient/", {"action": action, "_selected_action": [jimin.pk]})
    assert answer.headers["Content-Type"].startswith(kind)
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "jimin" in answer.content.decode()
