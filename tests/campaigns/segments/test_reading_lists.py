"""A segment from a long file: read step by step, in force as a whole, also when a worker is killed; and then gone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Recipient
from campaigns import checking, freezing, launching
from campaigns.models import Run, Segment, SegmentMember, Upload, UploadPart
from campaigns.segments import uploading
from campaigns.vocabulary import RunState, UploadState
from tests.builders import person
from tests.campaigns.segments.lists import faults, later, listed, read_all, upload
from tests.campaigns.segments.test_uploading import FAULTY
from tests.campaigns.stage import begun, campaign, crowd, deliveries, segment, worked_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def vips() -> Segment:
    return Segment.objects.create(name="VIPs", kind="list")


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lines are a piece, and two lines a file that is read at once."""
    monkeypatch.setattr(uploading, "STEP", 3)
    monkeypatch.setattr(uploading, "AT_ONCE", 2)


def test_of_a_long_file_nothing_is_read_in_the_request(vips: Segment) -> None:
    person("p0")

    made = upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(10)))

    assert (made.state, made.line, made.total, made.percent, made.parts.count()) == (UploadState.READING, 1, 11, 9, 4)
    assert listed(vips) == []


def test_a_long_file_comes_to_what_a_short_one_does(vips: Segment) -> None:
    for n in range(10):
        person(f"p{n}")
    SegmentMember.objects.create(segment=vips, recipient=person("dan"))
    text = "external_id\n" + "".join(f"p{n}\n" for n in [*range(10), 3, 4, 5]) + "ghost\ndan\nghost\n"

    made = upload(vips, text)
    read_all()

    made.refresh_from_db()
    assert listed(vips) == sorted(["dan", *(f"p{n}" for n in range(10))])
    assert (made.good, made.added, made.people, made.unknown, made.first_unknown) == (16, 10, 11, 2, ["ghost"])
    assert (made.state, made.percent, made.line) == (UploadState.TAKEN, 100, 17)


def test_the_old_list_is_in_force_as_a_whole_until_the_new_one_is(vips: Segment) -> None:
    for name in ("old-1", "old-2", *(f"new-{n}" for n in range(8))):
        person(name)
    upload(vips, "external_id\nold-1\nold-2\n")
    read_all()
    upload(vips, "external_id\n" + "".join(f"new-{n}\n" for n in range(8)) + "old-2\n", replace=True)

    seen = set()
    held = uploading._take(timezone.now())
    assert held is not None
    while uploading.read_step(held, timezone.now()):
        seen.add(tuple(listed(vips)))

    assert seen == {("old-1", "old-2")}
    assert listed(vips) == sorted(["old-2", *(f"new-{n}" for n in range(8))])


def test_a_record_that_goes_over_the_end_of_a_piece_is_read_once(vips: Segment) -> None:
    for n in range(8):
        person(f"p{n}")
    long = '"' + "a\nb\n" * 5 + '"'
    text = f"external_id,note\np0,x\np1,x\np2,{long}\np3,x\np4,{long}\np5,x\np6,x\np7,x\n"

    made = upload(vips, text)
    read_all()

    made.refresh_from_db()
    assert (made.good, made.bad, made.line, made.total) == (8, 0, 29, 29)
    assert listed(vips) == [f"p{n}" for n in range(8)]


@pytest.mark.parametrize(("text", "where", "says"), FAULTY)
def test_faults_of_a_long_file_are_told_in_the_end_by_their_lines(
    vips: Segment, text: str | bytes, where: list[int], says: str
) -> None:
    SegmentMember.objects.create(segment=vips, recipient=person("eve"))
    head, end, rest = (text if isinstance(text, bytes) else text.encode()).partition(b"\n")
    made = upload(vips, head + end * 6 + rest, replace=True)
    read_all()

    made.refresh_from_db()
    assert made.state == UploadState.REFUSED
    assert [line for line, _ in faults(made)] == [line + 5 if line > 1 else 1 for line in where]
    assert says in faults(made)[0][1]
    assert listed(vips) == ["eve"]


def test_a_fault_in_the_last_line_takes_nobody_over_and_leaves_nobody_behind(vips: Segment) -> None:
    for n in range(10):
        person(f"p{n}")
    made = upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(10)) + "not one\n")
    read_all()

    made.refresh_from_db()
    assert faults(made)[0][0] == 12
    assert listed(vips) == []
    uploading.go_on(clock=lambda: later(minutes=2))
    assert not SegmentMember.objects.exists()


def test_another_worker_goes_on_where_a_killed_one_was(vips: Segment) -> None:
    for n in range(10):
        person(f"p{n}")
    made = upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(10)) + "ghost\n")
    killed = uploading._take(timezone.now())
    assert killed is not None
    uploading.read_step(killed, timezone.now())

    uploading.go_on(clock=timezone.now)
    assert Upload.objects.get().line == 4, "its lease is respected"

    other = uploading._take(later(minutes=5))
    assert other is not None
    uploading.read_step(other, later(minutes=5))
    assert not uploading.read_step(killed, timezone.now()), "who wakes up changes nothing"
    Upload.objects.update(lease_id=None, lease_until=None)
    read_all()

    made.refresh_from_db()
    assert (made.good, made.added, made.unknown) == (11, 10, 1)
    assert listed(vips) == sorted(f"p{n}" for n in range(10))


def test_a_worker_that_is_killed_in_the_middle_of_a_step_leaves_nothing_of_it(
    vips: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(10):
        person(f"p{n}")
    made = upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(10)))
    killed = uploading._take(timezone.now())
    assert killed is not None
    uploading.read_step(killed, timezone.now())

    def dies(*_args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(Upload, "save", dies)
        with pytest.raises(SystemExit):
            uploading.read_step(killed, timezone.now())
    assert SegmentMember.objects.count() == 3

    read_all(minutes=5)
    made.refresh_from_db()
    assert (made.good, made.added) == (10, 10)
    assert listed(vips) == sorted(f"p{n}" for n in range(10))


def test_files_of_one_segment_are_read_one_after_the_other(vips: Segment) -> None:
    for name in ("ann", "bob", "cem", "dan"):
        person(name)
    first = upload(vips, "external_id\nann\nbob\ncem\n", replace=True)
    second = upload(vips, "external_id\ndan\n", replace=True)
    assert second.state == UploadState.READING, "a short one waits too"

    held = uploading._take(timezone.now())
    assert held == first
    assert uploading._take(timezone.now()) is None
    Upload.objects.update(lease_id=None, lease_until=None)
    read_all()

    assert listed(vips) == ["dan"]
    assert [one.state for one in Upload.objects.order_by("id")] == [UploadState.TAKEN] * 2


def test_files_of_two_segments_are_read_side_by_side(vips: Segment) -> None:
    other = Segment.objects.create(name="Guests", kind="list")
    first = upload(vips, "external_id\nann\nbob\ncem\n")
    second = upload(other, "external_id\nann\nbob\ncem\n")

    assert [uploading._take(timezone.now()), uploading._take(timezone.now())] == [first, second]


def test_a_segment_may_be_deleted_in_the_middle(vips: Segment) -> None:
    for n in range(10):
        person(f"p{n}")
    upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(10)))
    held = uploading._take(timezone.now())
    assert held is not None
    uploading.read_step(held, timezone.now())

    vips.delete()

    assert not uploading.read_step(held, timezone.now())
    uploading.go_on(clock=timezone.now)
    assert [one.objects.count() for one in (Upload, UploadPart, SegmentMember)] == [0, 0, 0]


def test_who_is_gone_in_the_middle_is_not_put_on_the_list(vips: Segment) -> None:
    for n in range(10):
        person(f"p{n}")
    made = upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(10)))
    held = uploading._take(timezone.now())
    assert held is not None
    uploading.read_step(held, timezone.now())
    for name in ("p0", "p9"):
        SegmentMember.objects.filter(recipient__external_id=name).delete()
        Recipient.objects.get(external_id=name).delete()
    Upload.objects.update(lease_id=None, lease_until=None)
    read_all()

    made.refresh_from_db()
    assert (listed(vips), made.first_unknown) == ([f"p{n}" for n in range(1, 9)], ["p9"])


# --- what is kept of a file --------------------------------------------------------------------------
def test_a_piece_is_gone_once_it_is_read(vips: Segment) -> None:
    upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(10)))
    held = uploading._take(timezone.now())
    assert held is not None

    left = [UploadPart.objects.count()]
    while uploading.read_step(held, timezone.now()):
        left.append(UploadPart.objects.count())

    assert left == [4, 3, 2, 1]
    assert not UploadPart.objects.exists()


def test_a_file_that_nobody_reads_is_gone_after_a_day_and_what_came_of_others_too(vips: Segment) -> None:
    person("p0")
    upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(10)))
    held = uploading._take(timezone.now())
    assert held is not None
    uploading.read_step(held, timezone.now())

    uploading.forget(timezone.now() - timedelta(hours=1), timezone.now())
    assert UploadPart.objects.exists()
    uploading.forget(later(), later())

    assert faults(Upload.objects.get()) == [(4, "It was not read within a day.")]
    assert not UploadPart.objects.exists()
    assert not uploading.read_step(held, timezone.now())
    uploading.go_on(clock=lambda: later(minutes=5))
    assert not SegmentMember.objects.exists()
    uploading.go_on(clock=lambda: later(days=1, minutes=5))
    assert not Upload.objects.exists()


def test_a_list_of_no_use_is_deleted_in_steps_after_a_while(vips: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "_TOGETHER", 2)
    for n in range(6):
        person(f"p{n}")
    upload(vips, "external_id\n" + "".join(f"p{n}\n" for n in range(5)))
    upload(vips, "external_id\np5\n", replace=True)

    read_all()
    assert SegmentMember.objects.count() == 6, "whoever has just looked up which list is in force still finds it"
    uploading.go_on(clock=lambda: later(minutes=2))

    assert SegmentMember.objects.count() == 1
    assert listed(vips) == ["p5"]


# --- and the campaigns for it ------------------------------------------------------------------------
@pytest.mark.parametrize("is_nested", [pytest.param(False, id="for the list"), pytest.param(True, id="for rules")])
def test_a_run_that_has_begun_goes_to_the_old_list_as_a_whole(
    vips: Segment, monkeypatch: pytest.MonkeyPatch, *, is_nested: bool
) -> None:
    monkeypatch.setattr(freezing, "FIRST_SLICE", 2)
    monkeypatch.setattr(freezing, "SLICE", 2)
    crowd(12)
    old, new = [f"p{n}" for n in range(6)], [f"p{n}" for n in range(4, 12)]
    upload(vips, "\n".join(["external_id", *old]), replace=True)
    read_all()
    rules = {"field": "segment", "is": "in", "value": str(vips.pk)}
    audience = segment("some", rules) if is_nested else vips
    at = later()
    run = begun(campaign(segment=audience), at)
    launching.go_on(clock=lambda: at)
    assert Run.objects.get().people == 2

    upload(vips, "\n".join(["external_id", *new]), replace=True)
    read_all()
    uploading.go_on(clock=lambda: at + timedelta(minutes=5))
    worked_off(at)

    assert names_of(run) == old
    uploading.go_on(clock=lambda: at + timedelta(minutes=5))
    assert SegmentMember.objects.count() == 8, "once its audience is written down, nobody needs the old list"
    second = begun(run.campaign, at + timedelta(minutes=1))
    worked_off(at + timedelta(minutes=1))
    assert names_of(second) == sorted(new)


@pytest.mark.parametrize("is_nested", [pytest.param(False, id="for the list"), pytest.param(True, id="for rules")])
def test_who_starts_a_campaign_is_told_that_a_file_is_being_read(vips: Segment, *, is_nested: bool) -> None:
    crowd(3)
    rules = {"field": "segment", "is": "in", "value": str(vips.pk)}
    of = campaign(segment=segment("some", rules) if is_nested else vips)
    upload(vips, "external_id\np0\np1\n")
    told = "A file for the list “VIPs” is being read"
    assert any(told in one for one in checking.look_at(of, later()).warnings)

    read_all()

    assert not any(told in one for one in checking.look_at(of, later()).warnings)


def test_an_approved_campaign_starts_with_the_list_that_was_approved_until_another_is_in_force(
    vips: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "AT_ONCE", 1)
    crowd(3)
    of = campaign(segment=vips, approved_at=timezone.now() + timedelta(seconds=1))
    upload(vips, "external_id\np0\np1\n")
    assert begun(of, later()).state == RunState.STARTING, "the file is not read yet"

    read_all()

    assert begun(of, later(minutes=1)).state == RunState.FAILED


def names_of(run: Run) -> list[str]:
    found = {one.recipient_id for one in deliveries(run) if one.recipient_id}
    return sorted(Recipient.objects.filter(pk__in=found).values_list("external_id", flat=True))
