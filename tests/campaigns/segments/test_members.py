"""A segment from a file: who is on the list, whom nobody knows, and what is wrong with which line."""

import io
import tracemalloc

import pytest

from campaigns.models import Segment, SegmentMember
from campaigns.segments import members
from campaigns.segments.members import Fault, Taken, UnusableList, take_over
from tests.builders import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def vips() -> Segment:
    return Segment.objects.create(name="VIPs", kind="list")


def upload(segment: Segment, text: str | bytes, *, replace: bool = False) -> Taken:
    return take_over(segment, io.BytesIO(text if isinstance(text, bytes) else text.encode()), replace=replace)


def listed(segment: Segment) -> list[str]:
    return sorted(SegmentMember.objects.filter(segment=segment).values_list("recipient__external_id", flat=True))


FORMS = [
    "external_id\nann\nbob\n",
    "\ufeffexternal_id\r\nann\r\n\r\nbob\r\n",
    'name;External ID\n"Ann; the first";ann\nBob;bob',
    "email\nANN@people.example\nbob@people.example\n",
    "phone,note\n+821000000001,\n+82 10-0000-0002,x\n",
]


@pytest.mark.parametrize("text", FORMS)
def test_a_list_is_whoever_is_named_in_the_file(vips: Segment, text: str) -> None:
    person("ann", email="ann@people.example", phone="+821000000001")
    person("bob", email="bob@people.example", phone="+821000000002")
    person("cem")

    taken = upload(vips, text)

    assert listed(vips) == ["ann", "bob"]
    assert (taken.lines, taken.added, taken.people, taken.unknown) == (2, 2, 2, 0)


def test_whom_nobody_knows_is_told_and_not_dropped_in_silence(vips: Segment) -> None:
    person("ann")

    taken = upload(vips, "external_id\n" + "".join(f"ghost-{n}\n" for n in range(30)) + "ann\nghost-3\n")

    assert listed(vips) == ["ann"]
    assert taken.unknown == 30
    assert list(taken.first_unknown) == [f"ghost-{n}" for n in range(20)]


def test_a_second_file_adds_or_replaces(vips: Segment) -> None:
    for name in ("ann", "bob", "cem"):
        person(name)
    upload(vips, "external_id\nann\nbob\nbob\n")

    assert upload(vips, "external_id\nbob\ncem\n").added == 1
    assert listed(vips) == ["ann", "bob", "cem"]
    assert upload(vips, "external_id\ncem\n", replace=True).people == 1
    assert listed(vips) == ["cem"]


FAULTY: list[tuple[str | bytes, list[int], str]] = [
    ("", [1], "The first line must name a column external_id, email or phone."),
    ("ann\nbob\n", [1], "The first line must name a column external_id, email or phone."),
    ("external_id,external_id\na,b\n", [1], "The column external_id is named twice."),
    ("external_id\n", [1], "There is nobody in it."),
    ("name,external_id\nAnn,ann\nBob\nCem,c m\n", [3, 4], "external_id: is missing in this line."),
    ("email\nann@people.example\nnobody\n", [3], "email: Not an email address"),
    ('external_id\nann\n"bob\n', [3], "Cannot be read as CSV"),
    ("external_id\nann\n\xe9\n".encode("latin-1"), [3], "external_id: Is not UTF-8"),
    ("external_id\nann\nb\0b\n", [3], ""),
]


@pytest.mark.parametrize(("text", "lines", "says"), FAULTY)
def test_a_file_with_faults_changes_nothing_and_says_where_they_are(
    vips: Segment, text: str | bytes, lines: list[int], says: str
) -> None:
    SegmentMember.objects.create(segment=vips, recipient=person("dan"))
    person("ann")

    with pytest.raises(UnusableList) as caught:
        upload(vips, text, replace=True)

    assert [fault.line for fault in caught.value.faults] == lines
    assert says in caught.value.faults[0].reason
    assert listed(vips) == ["dan"]


def test_of_many_faults_the_first_are_told_and_all_are_counted(vips: Segment) -> None:
    with pytest.raises(UnusableList) as caught:
        upload(vips, "external_id\n" + "not one\n" * 250)

    assert caught.value.count == 250
    assert len(caught.value.faults) == members.TOLD_FAULTS


def test_a_file_that_is_too_long_is_refused(vips: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_LINES", 2)

    with pytest.raises(UnusableList) as caught:
        upload(vips, "external_id\na\nb\nc\n")

    assert list(caught.value.faults) == [Fault(4, "More than 2 lines; divide the file.")]


def test_memory_does_not_grow_with_the_file(vips: Segment) -> None:
    file = io.BytesIO(b"external_id\n" + b"".join(b"somebody-%d\n" % n for n in range(100_000)))
    tracemalloc.start()
    try:
        taken = take_over(vips, file, replace=False)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken.unknown == 100_000
    assert peak < 2_000_000, "the file alone has 1.6 MB, and its lines as objects 8"
