"""A segment from a short file: who is on the list, whom nobody knows, and what is wrong with which line."""

import io
import tracemalloc

import pytest
from django.contrib.auth.models import User

from accounts.models import AuditEntry
from campaigns.models import Segment, SegmentMember, UploadPart
from campaigns.segments import lines, uploading
from campaigns.vocabulary import UploadMode, UploadState
from notifications.clock import clock
from tests.builders import person
from tests.campaigns.segments.lists import faults, listed, read_all, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def vips() -> Segment:
    return Segment.objects.create(name="VIPs", kind="list")


FORMS = [
    pytest.param("external_id\nann\nbob\n", id="plain"),
    pytest.param("\ufeffexternal_id\r\nann\r\n\r\nbob\r\n", id="with a mark, empty lines and the ends of Windows"),
    pytest.param('name;External ID\n"Ann; the first";ann\nBob;bob', id="with semicolons"),
    pytest.param("email\nANN@people.example\nbob@people.example\n", id="by email"),
    pytest.param("phone,note\n+821000000001,\n+82 10-0000-0002,x\n", id="by phone"),
    pytest.param("external_id\rann\rbob\r", id="with the ends of old Macs"),
]


@pytest.mark.parametrize("text", FORMS)
def test_a_list_is_whoever_is_named_in_the_file(vips: Segment, text: str) -> None:
    person("ann", email="ann@people.example", phone="+821000000001")
    person("bob", email="bob@people.example", phone="+821000000002")
    person("cem")

    taken = upload(vips, text)

    assert listed(vips) == ["ann", "bob"]
    assert (taken.state, taken.good, taken.added, taken.people, taken.unknown) == (UploadState.TAKEN, 2, 2, 2, 0)


def test_of_several_with_one_address_all_are_meant(vips: Segment) -> None:
    person("ann", email="home@people.example")
    person("bob", email="home@people.example")

    assert upload(vips, "email\nhome@people.example\n").added == 2
    assert listed(vips) == ["ann", "bob"]


def test_whom_nobody_knows_is_told_and_not_dropped_in_silence(vips: Segment) -> None:
    person("ann")

    taken = upload(vips, "external_id\n" + "".join(f"ghost-{n}\n" for n in range(30)) + "ann\nghost-3\n")

    assert listed(vips) == ["ann"]
    assert taken.unknown == 31
    assert taken.first_unknown == [f"ghost-{n}" for n in range(20)]


def test_a_second_file_adds_or_replaces(vips: Segment) -> None:
    for name in ("ann", "bob", "cem"):
        person(name)
    upload(vips, "external_id\nann\nbob\nbob\n")

    assert upload(vips, "external_id\nbob\ncem\n").added == 1
    assert listed(vips) == ["ann", "bob", "cem"]
    assert upload(vips, "external_id\ncem\n", replace=True).people == 1
    assert listed(vips) == ["cem"]


def test_a_file_of_unknown_people_alone_does_not_empty_the_list_that_it_is_to_replace(vips: Segment) -> None:
    person("ann")
    upload(vips, "external_id\nann\n")

    refused = upload(vips, "external_id\nghost-1\nghost-2\n", replace=True)

    assert refused.state == UploadState.REFUSED
    told = "Nobody is known by what stands in its column external_id; the list stays as it was."
    assert faults(refused) == [(1, told)]
    assert refused.unknown == 2
    assert listed(vips) == ["ann"]
    assert upload(vips, "external_id\nghost-1\n").state == UploadState.TAKEN, "what adds nobody takes nobody away"


def test_who_was_on_a_list_before_there_were_files_of_it_stays_there(vips: Segment) -> None:
    SegmentMember.objects.create(segment=vips, recipient=person("dan"))
    person("ann")

    assert upload(vips, "external_id\nann\ndan\n").added == 1
    assert listed(vips) == ["ann", "dan"]


FAULTY = [
    pytest.param("", [1], "The first line must name a column external_id, email or phone.", id="empty"),
    pytest.param("ann\nbob\n", [1], "The first line must name a column external_id, email or phone.", id="no header"),
    pytest.param("external_id,external_id\na,b\n", [1], "The column external_id is named twice.", id="twice"),
    pytest.param("external_id\n", [1], "There is nobody in it.", id="nobody"),
    pytest.param("external_id\n\n\n", [1], "There is nobody in it.", id="empty lines"),
    pytest.param(
        "name,external_id\nAnn,ann\nBob\nCem,c m\n", [3, 4], "external_id: is missing in this line.", id="missing"
    ),
    pytest.param("email\nann@people.example\nnobody\n", [3], "email: Not an email address", id="no address"),
    pytest.param('external_id\nann\n"bob\n', [3], "Cannot be read as CSV", id="open quote"),
    pytest.param("external_id\nann\n\xe9\n".encode("latin-1"), [3], "external_id: Is not UTF-8", id="latin-1"),
    pytest.param("external_id\nann\n".encode("utf-16"), [1], "The file is not UTF-8", id="utf-16"),
    pytest.param("external_id\nann\nb\0b\n", [3], "", id="NUL"),
]


@pytest.mark.parametrize(("text", "where", "says"), FAULTY)
def test_a_file_with_faults_changes_nothing_and_says_where_they_are(
    vips: Segment, text: str | bytes, where: list[int], says: str
) -> None:
    SegmentMember.objects.create(segment=vips, recipient=person("dan"))
    person("ann")

    refused = upload(vips, text, replace=True)

    assert refused.state == UploadState.REFUSED
    assert [line for line, _ in faults(refused)] == where
    assert says in faults(refused)[0][1]
    assert listed(vips) == ["dan"]
    assert not UploadPart.objects.exists()


def test_of_many_faults_the_first_are_told_and_all_are_counted(vips: Segment) -> None:
    refused = upload(vips, "external_id\n" + "not one\n" * 250)

    assert refused.bad == 250
    assert len(refused.faults) == lines.TOLD_FAULTS


def test_a_file_that_is_too_long_is_refused(vips: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 2)

    assert faults(upload(vips, "external_id\na\nb\nc\nd\n")) == [(4, "More than 2 lines; divide the file.")]


def test_memory_does_not_grow_with_the_file(vips: Segment) -> None:
    file = b"external_id\n" + b"".join(b"somebody-%d\n" % n for n in range(100_000))
    tracemalloc.start()
    try:
        made = upload(vips, file)
        read_all()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    made.refresh_from_db()
    assert made.unknown == 100_000
    assert peak < 4_000_000, "the file has 1.6 MB twice, and its lines as objects 8"


def test_that_somebody_uploaded_a_file_is_in_the_audit_log(vips: Segment) -> None:
    by = User.objects.create(username="m")
    file = io.BytesIO(b"external_id\nghost\n")
    uploading.upload(vips, file, UploadMode.ADD, clock.now(), by=by)

    entry = AuditEntry.objects.get(action="uploaded")
    assert (entry.actor_name, entry.object_id) == ("m", str(vips.pk))
    assert "1 unknown" in entry.detail
