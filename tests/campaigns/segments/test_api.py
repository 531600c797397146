"""Segments as programs write, read and look at them."""

from io import BytesIO
from typing import Any

import pytest

from accounts.ids import new_id
from accounts.models import Scope
from campaigns.models import Campaign, Segment, SegmentMember
from campaigns.segments import uploading
from campaigns.vocabulary import UploadMode
from notifications.clock import clock
from tests.builders import application, caller, fields_named, person

pytestmark = pytest.mark.django_db

KR = {"field": "country", "is": "is", "value": "KR"}


@pytest.fixture
def korea() -> Segment:
    return Segment.objects.create(name="Korea", rules=KR)


def test_rules_are_saved_shown_changed_and_deleted() -> None:
    person("ann", country="KR")
    shop = caller()

    made = shop.post("/v1/segments", {"name": "Korea", "rules": KR})

    assert made.status_code == 201, made.content
    assert made.json()["kind"] == "rules"
    page = f"/v1/segments/{made.json()['id']}"
    shown = shop.get(page).json()
    assert (shown["name"], shown["rules"], shown["people"], shown["used_by"]) == ("Korea", KR, 1, [])
    assert [one["name"] for one in shop.get("/v1/segments").json()["results"]] == ["Korea"]
    changed = shop.put(page, {"name": "All", "rules": {}})
    assert (changed.status_code, changed.json()["rules"]) == (200, {})
    assert shop.delete(page).status_code == 204
    assert shop.get(page).status_code == 404


def test_segments_are_listed_the_newest_first_page_by_page_and_found_by_how_their_names_begin() -> None:
    names = [f"{country} {number}" for number in range(2) for country in ("Korea", "Japan")]
    for name in names:
        Segment.objects.create(name=name)
    shop = caller()

    first = shop.get("/v1/segments?page_size=3").json()
    second = shop.get(first["next"]).json()

    assert [one["name"] for page in (first, second) for one in page["results"]] == names[::-1]
    assert second["next"] is None
    assert [one["name"] for one in shop.get("/v1/segments?name=Kor").json()["results"]] == ["Korea 1", "Korea 0"]
    for query in ("named=Korea", "page_size=1001", "name="):
        assert fields_named(shop.get(f"/v1/segments?{query}")) == {query.partition("=")[0]}


def test_how_many_are_in_a_segment_that_names_what_is_gone_is_not_told_as_nobody() -> None:
    person("ann", country="KR")
    gone = {"field": "clicked", "is": "never", "campaign": str(new_id())}
    segment = Segment.objects.create(name="Not yet", rules=gone)

    assert caller().get(f"/v1/segments/{segment.pk}").json()["people"] is None


def test_a_look_counts_and_names_some_and_saves_nothing() -> None:
    for n in range(12):
        person(f"ann-{n}", country="KR", email="ann@people.example")
    person("bob", country="TR")

    answer = caller().post("/v1/segments/preview", {"rules": KR}).json()

    assert answer["people"] == 12
    assert len(answer["sample"]) == 10
    assert set(answer["sample"]) < {f"ann-{n}" for n in range(12)}
    assert not Segment.objects.exists()


REFUSED: list[tuple[Any, set[str]]] = [
    ({}, {"name"}),
    ({"name": "A", "rule": KR}, {"rule"}),
    ({"name": "A", "rules": {"all": [KR, {**KR, "value": "Korea"}]}}, {"rules.all[1].value"}),
    ({"name": "A", "rules": 1}, {"rules"}),
    ({"name": "Korea", "rules": KR}, {"name"}),
    ({"name": "A", "rules": {"field": "segment", "is": "in", "value": str(new_id())}}, {"rules.value"}),
    ({"name": "A", "rules": {"field": "got", "is": "ever", "campaign": str(new_id())}}, {"rules.campaign"}),
    (
        {"name": "A", "rules": {"field": "preference", "is": "allows", "value": {"category": "no", "channel": "sms"}}},
        {"rules.value.category"},
    ),
]


@pytest.mark.parametrize(("body", "fields"), REFUSED)
def test_what_cannot_be_used_is_refused_by_its_place(korea: Segment, body: Any, fields: set[str]) -> None:
    answer = caller().post("/v1/segments", body)

    assert answer.status_code == 422
    assert fields_named(answer) == fields
    assert Segment.objects.get() == korea


def test_a_segment_cannot_be_in_itself_by_any_way(korea: Segment) -> None:
    outer = Segment.objects.create(
        name="Outer", rules={"not": {"field": "segment", "is": "in", "value": str(korea.pk)}}
    )
    inside = {"all": [KR, {"field": "segment", "is": "in", "value": str(outer.pk)}]}

    answer = caller().put(f"/v1/segments/{korea.pk}", {"name": "Korea", "rules": inside})

    assert fields_named(answer) == {"rules.all[1].value"}
    assert "would be in itself" in answer.json()["detail"]


def test_what_somebody_uses_is_not_deleted(korea: Segment) -> None:
    Campaign.objects.create(name="Spring", application=application(), segment=korea)
    Segment.objects.create(name="Outer", rules={"field": "segment", "is": "in", "value": str(korea.pk)})

    answer = caller().delete(f"/v1/segments/{korea.pk}")

    assert answer.status_code == 409
    assert "the campaign “Spring”, the segment “Outer”" in answer.json()["detail"]


def test_a_list_can_be_renamed_and_has_no_rules() -> None:
    vips = Segment.objects.create(name="VIPs", kind="list")
    SegmentMember.objects.create(segment=vips, recipient=person())
    page = f"/v1/segments/{vips.pk}"

    assert caller().put(page, {"name": "Best"}).status_code == 200
    assert fields_named(caller().put(page, {"name": "Best", "rules": KR})) == {"rules"}
    assert caller().get(page).json()["people"] == 1


def test_a_list_tells_of_its_latest_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "AT_ONCE", 2)
    vips = Segment.objects.create(name="VIPs", kind="list")
    person("ann")
    page, shop = f"/v1/segments/{vips.pk}", caller()
    assert shop.get(page).json()["upload"] is None

    uploading.upload(vips, BytesIO(b"external_id\nann\nghost\n"), UploadMode.ADD, clock.now(), by=None)
    told = shop.get(page).json()
    assert (told["people"], told["upload"]["state"], told["upload"]["percent"]) == (0, "reading", 33)
    uploading.go_on(clock=clock.now)

    told = shop.get(page).json()
    assert told["people"] == 1
    expected = {"state": "taken", "mode": "add", "line": 3, "total": 3, "percent": 100, "added": 1, "unknown": 1}
    assert told["upload"] == {**told["upload"], **expected}


def test_a_list_tells_what_is_wrong_with_its_latest_file() -> None:
    vips = Segment.objects.create(name="VIPs", kind="list")
    uploading.upload(vips, BytesIO(b"external_id\nnot one\n"), UploadMode.ADD, clock.now(), by=None)

    told = caller().get(f"/v1/segments/{vips.pk}").json()["upload"]

    assert (told["state"], told["fault_count"], told["faults"][0]["line"]) == ("refused", 1, 2)


def test_reading_and_writing_have_scopes_of_their_own(korea: Segment) -> None:
    reader = caller(scopes=[Scope.CAMPAIGNS_READ.value])
    writer = caller(scopes=[Scope.CAMPAIGNS_WRITE.value])

    assert reader.get("/v1/segments").status_code == 200
    assert reader.post("/v1/segments/preview", {"rules": KR}).status_code == 403
    assert reader.delete(f"/v1/segments/{korea.pk}").status_code == 403
    assert writer.get(f"/v1/segments/{korea.pk}").status_code == 403
