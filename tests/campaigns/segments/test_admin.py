"""Segments as people write them: what is refused, who is warned, and lists from files."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from campaigns.admin.segments import SegmentAdmin
from campaigns.models import Campaign, Segment, SegmentMember
from campaigns.segments import members, uploading
from notifications.clock import clock
from tests.builders import administrator, application, complaints, person, shown

pytestmark = pytest.mark.django_db

KR = {"field": "country", "is": "is", "value": "KR"}
ADD = "/admin/campaigns/segment/add/"


def page_of(segment: Segment, name: str = "change") -> str:
    return reverse(f"admin:campaigns_segment_{name}", args=[segment.pk])


def marketer() -> Client:
    user = User.objects.create(username="m", is_staff=True)
    user.groups.add(Group.objects.get(name="Marketer"))
    browser = Client()
    browser.force_login(user)
    return browser


def looked(browser: Client, rules: Any, **more: str) -> Any:
    sent = rules if isinstance(rules, str) else json.dumps(rules)
    answer = browser.post("/admin/campaigns/segment/look/", {"rules": sent, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_rules_are_saved_as_they_were_written() -> None:
    answer = administrator().post(ADD, {"name": "Korea", "kind": "rules", "rules": json.dumps(KR)})

    assert answer.status_code == 302, answer.content
    assert Segment.objects.get().rules == KR


WRONG = [
    ("{", "Enter a valid JSON."),
    ('{"all": [{"field": "country"}]}', "all[0].is: country takes one of: is, is not, one of, exists, missing."),
    ('{"field": "attributes.a", "is": "is", "value": "\\u0000"}', "Contains a NUL character (\\u0000); remove it."),
    ("[" * 5000 + "]" * 5000, "nested too deeply"),
]


@pytest.mark.parametrize(("rules", "says"), WRONG)
def test_rules_that_cannot_be_used_are_not_saved(rules: str, says: str) -> None:
    page = administrator().post(ADD, {"name": "Korea", "kind": "rules", "rules": rules})

    assert says in complaints(page)[0]
    assert not Segment.objects.exists()


def test_a_look_counts_with_thousands_apart_and_shows_ten() -> None:
    for n in range(1200):
        person(f"p{n}", country="KR")
    person("other")

    found = looked(administrator(), KR)

    assert found["people"] == "1,200 people"
    assert found["some"][0] == ["p1199", "", "KR", "", ""]
    assert len(found["some"]) == 10


def test_a_look_tells_what_is_wrong_and_where() -> None:
    browser = administrator()

    assert looked(browser, {"all": [KR, {"all": []}]}) == {
        "place": "all[1].all",
        "says": "all[1].all: write a list of rules, with one at least.",
        "short": "Write a list of rules, with one at least.",
    }
    for hostile in ("{", "null", "[" * 100_000, "NaN", '{"field": {"a": 1}}'):
        assert "says" in looked(browser, hostile)


def test_addresses_are_masked_for_those_who_may_not_see_them() -> None:
    person("jimin", email="jimin@people.example", phone="+821012345678")

    assert looked(marketer(), {})["some"] == [["jimin", "", "", "j***@people.example", "+8210***78"]]
    assert looked(administrator(), {})["some"][0][3] == "jimin@people.example"


def test_whoever_only_looks_at_segments_counts_nothing() -> None:
    user = User.objects.create(username="s", is_staff=True)
    user.groups.add(Group.objects.get(name="Support"))
    browser = Client()
    browser.force_login(user)
    segment = Segment.objects.create(name="Korea", rules=KR)

    assert browser.post("/admin/campaigns/segment/look/", {"rules": "{}"}).status_code == 403
    assert browser.get(page_of(segment, "upload")).status_code == 404
    assert "segment-builder" not in shown(browser.get(page_of(segment)))


def test_who_changes_what_a_campaign_may_use_at_any_moment_is_warned() -> None:
    segment = Segment.objects.create(name="Korea", rules=KR)
    Campaign.objects.create(name="Draft", application=application(), segment=segment)
    browser = administrator()
    assert "In use by" not in shown(browser.get(page_of(segment)))
    Campaign.objects.create(name="Weekly", application=application(), segment=segment, state="active")

    page = shown(browser.get(page_of(segment)))

    assert "In use by “Weekly”" in page
    assert "Used by the campaign “Draft”, the campaign “Weekly”." in page
    assert "2 campaigns" in shown(browser.get("/admin/campaigns/segment/"))


def test_what_another_segment_names_is_not_deleted() -> None:
    inner = Segment.objects.create(name="Korea", rules=KR)
    Segment.objects.create(name="Outer", rules={"field": "segment", "is": "in", "value": str(inner.pk)})

    page = administrator().post(page_of(inner, "delete"), {"post": "yes"})

    assert "Segment: Outer" in shown(page)
    assert Segment.objects.filter(pk=inner.pk).exists()


def upload(browser: Client, segment: Segment, text: bytes, mode: str = "add") -> str:
    file = SimpleUploadedFile("list.csv", text)
    return shown(browser.post(page_of(segment, "upload"), {"file": file, "mode": mode}))


def test_a_new_list_wants_its_file_next() -> None:
    person("ann")
    browser = administrator()

    answer = browser.post(ADD, {"name": "VIPs", "kind": "list", "rules": "{}"})

    segment = Segment.objects.get()
    assert answer["Location"] == page_of(segment, "upload")
    page = upload(browser, segment, b"external_id\nann\nghost\n")
    assert "1 person is new on the list" in page
    assert "1 line names somebody who is unknown here and not on the list" in page
    assert "<code>ghost</code>" in page
    assert SegmentMember.objects.get().recipient.external_id == "ann"
    assert AuditEntry.objects.filter(action="uploaded", detail__contains="1 unknown").exists()
    assert "<strong>1</strong> person is on the list." in shown(browser.get(page_of(segment)))


def test_faults_of_a_file_are_told_line_by_line() -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")

    page = upload(administrator(), segment, b"external_id\nann\nnot one\n")

    assert "<td>3</td>" in page
    assert "external_id: Use letters, digits" in page
    assert not SegmentMember.objects.exists()


def long_file(browser: Client, segment: Segment, monkeypatch: pytest.MonkeyPatch, *names: str) -> str:
    """Upload a file that is read in steps of two lines; returns the page that comes next."""
    monkeypatch.setattr(uploading, "STEP", 2)
    monkeypatch.setattr(uploading, "AT_ONCE", 2)
    file = SimpleUploadedFile("list.csv", "\n".join(["external_id", *names]).encode())
    answer = browser.post(page_of(segment, "upload"), {"file": file, "mode": "replace"})
    assert answer["Location"] == page_of(segment)
    return shown(browser.get(page_of(segment)))


def test_of_a_long_file_the_page_of_the_segment_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")
    SegmentMember.objects.create(segment=segment, recipient=person("dan"))
    for name in ("ann", "bob", "cem"):
        person(name)
    browser = administrator()

    page = long_file(browser, segment, monkeypatch, "ann", "bob", "cem")

    assert 'data-live="' in page
    assert "It is being read: 1 of 4 lines." in page
    assert "campaigns that begin by then go to the 1 who are on it now" in page
    asked = browser.get(page_of(segment, "list")).json()
    assert (asked["is_over"], asked["says"]) == (False, "A file is being read, 20 % of it so far.")

    uploading.go_on(clock=clock.now)

    asked = browser.get(page_of(segment, "list")).json()
    assert (asked["is_over"], asked["says"]) == (True, "The file is read.")
    assert "3 people are new on the list" in asked["html"]
    assert "<strong>3</strong> people are on the list." in asked["html"]
    assert "In force since" in shown(browser.get(page_of(segment)))


def test_faults_of_a_long_file_are_told_on_the_page_of_the_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")
    browser = administrator()
    long_file(browser, segment, monkeypatch, "ann", "bob", "not one")

    uploading.go_on(clock=clock.now)

    page = shown(browser.get(page_of(segment)))
    assert "Nothing was taken over" in page
    assert "<td>4</td>" in page


def test_who_only_looks_at_a_list_sees_how_far_it_is_and_uploads_nothing() -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")
    user = User.objects.create(username="s", is_staff=True)
    user.groups.add(Group.objects.get(name="Support"))
    browser = Client()
    browser.force_login(user)

    assert browser.get(page_of(segment, "list")).status_code == 200
    assert "Upload a file" not in shown(browser.get(page_of(segment)))
    assert browser.get(page_of(segment, "upload")).status_code == 403


def test_whom_nobody_knows_is_masked_for_those_who_may_not_see_addresses() -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")

    page = upload(marketer(), segment, b"email\njimin@people.example\n")

    assert "j***@people.example" in page
    assert "jimin@" not in page


def test_to_rename_a_list_leaves_it_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")
    stale = Segment.objects.get()
    person("ann")
    browser = administrator()
    upload(browser, segment, b"external_id\nann\n", "replace")
    monkeypatch.setattr(SegmentAdmin, "get_object", lambda *_args, **_more: stale)

    assert browser.post(page_of(segment), {"name": "Best"}).status_code == 302

    assert Segment.objects.get().name == "Best"
    assert members.members(Segment.objects.get()) == 1


def test_a_list_is_deleted_with_its_people_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")
    for name in ("ann", "bob"):
        person(name)
    browser = administrator()
    upload(browser, segment, b"external_id\nann\nbob\n")
    long_file(browser, segment, monkeypatch, "ann", "bob", "cem")

    assert "Segments: 1" in shown(browser.get(page_of(segment, "delete")))
    browser.post(page_of(segment, "delete"), {"post": "yes"})

    assert not Segment.objects.exists()
    assert not SegmentMember.objects.exists()


def test_a_list_that_a_campaign_is_for_is_not_deleted() -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")
    Campaign.objects.create(name="Spring", application=application(), segment=segment)

    page = administrator().post(page_of(segment, "delete"), {"post": "yes"})

    assert "Campaign: Spring" in shown(page)
    assert Segment.objects.filter(pk=segment.pk).exists()
