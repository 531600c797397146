"""The deliveries of a run as a file: every one once, also when a worker is killed; and only what its reader may see."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from threading import Event, current_thread
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.utils import timezone

from accounts.ids import floor_of, new_id
from accounts.models import AuditEntry, Recipient
from campaigns import chunks, launching
from campaigns.chunks import Turn
from campaigns.models import Export, ExportPart, Run
from campaigns.reports import exporting
from notifications import queues, recovery
from notifications.models import Delivery
from tests.at_once import in_threads
from tests.campaigns.stage import begun, campaign, crowd, deliveries, worked_off
from tracking.models import Engagement

pytestmark = pytest.mark.django_db


def later(**span: float) -> datetime:
    return timezone.now() + timedelta(seconds=2, **span)


def staff(*rights: str, name: str = "staff") -> User:
    user = User.objects.create(username=name, is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    return user


def went_out(people: int) -> Run:
    crowd(people)
    run = begun(campaign("sale", "sale-2"))
    worked_off()
    recovery.keep_tally()
    return run


def asked(run: Run, *rights: str) -> Export:
    return exporting.ask(run, staff(*rights), timezone.now())


def written(**turn: Any) -> None:
    for _ in range(100):
        if not Export.objects.filter(finished_at=None).exists():
            return
        exporting.go_on(clock=lambda: later(**turn))
    raise AssertionError("it is never finished")


def rows() -> list[dict[str, str]]:
    text = b"".join(exporting.pieces(Export.objects.get())).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))


def test_every_delivery_is_a_line_that_says_what_became_of_it() -> None:
    run = went_out(3)
    first, second, third = deliveries(run)
    at = timezone.now()
    Delivery.objects.filter(pk=first.pk).update(state="delivered", sent_at=at)
    Delivery.objects.filter(pk=second.pk).update(state="failed", reason="bounced")
    Engagement.objects.create(
        delivery_id=first.pk, notification_id=first.notification_id, version_id=new_id(), channel="email",
        opened_at=at, clicked_at=at,
    )  # fmt: skip
    asked(run, "see_addresses")

    written()

    found = rows()
    letters = {arm.notification_id: arm.letter for arm in run.arms.all()}
    people = {one.pk: one for one in Recipient.objects.all()}
    assert [(row["external_id"], row["variant"], row["channel"], row["address"]) for row in found] == [
        (people[one.recipient_id].external_id, letters[one.notification_id], "email", people[one.recipient_id].email)
        for one in (first, second, third)
        if one.recipient_id
    ]
    assert [(row["state"], row["reason"]) for row in found] == [
        ("delivered", ""), ("failed", "The message was accepted and then bounced."), ("queued", ""),
    ]  # fmt: skip
    moment = at.isoformat(timespec="seconds")
    assert [found[0][name] for name in ("sent_at", "opened_at", "clicked_at", "converted_at")] == [moment] * 3 + [""]
    assert [found[2][name] for name in ("sent_at", "opened_at", "clicked_at", "converted_at")] == [""] * 4
    assert all(row["planned_at"] for row in found)


def test_who_may_not_see_addresses_gets_none_not_even_as_an_id() -> None:
    crowd(1)
    Recipient.objects.update(external_id="jimin@example.com")
    run = begun(campaign())
    worked_off()
    asked(run)

    written()

    (row,) = rows()
    assert "address" not in row
    assert row["external_id"] == "j***@example.com"


def test_an_address_that_would_be_a_formula_is_none() -> None:
    run = went_out(1)
    Delivery.objects.update(address="=1+1@example.com")
    asked(run, "see_addresses")

    written()

    assert rows()[0]["address"] == "'=1+1@example.com"


def test_a_file_is_written_in_steps_and_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "STEP", 4)
    run = went_out(10)
    export = asked(run)
    assert (export.total, export.percent) == (10, 0)

    held = exporting._take(timezone.now())
    assert held is not None
    steps = []
    while exporting.write_step(held, timezone.now()):
        steps.append(Export.objects.get().percent)

    assert steps == [40, 80]
    assert Export.objects.get().percent == 100
    assert ExportPart.objects.count() == 3
    assert len({row["external_id"] for row in rows()}) == len(rows()) == 10


def test_who_asks_twice_gets_one_file_until_it_is_written() -> None:
    run, by = went_out(1), staff("export_recipient")
    first = exporting.ask(run, by, timezone.now())

    assert exporting.ask(run, by, timezone.now()) == first
    assert exporting.ask(run, staff("export_recipient", name="other"), timezone.now()) != first
    written()
    assert exporting.ask(run, by, later(minutes=1)) != first


def test_another_worker_goes_on_where_a_killed_one_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "STEP", 3)
    asked(went_out(10))
    killed = exporting._take(timezone.now())
    assert killed is not None
    exporting.write_step(killed, timezone.now())

    exporting.go_on(clock=timezone.now)
    assert Export.objects.get().written == 3, "its lease is respected"

    other = exporting._take(later(minutes=5))
    assert other is not None
    exporting.write_step(other, later(minutes=5))
    assert not exporting.write_step(killed, timezone.now()), "who wakes up writes nothing"
    Export.objects.update(lease_id=None, lease_until=None)
    written()

    assert len({row["external_id"] for row in rows()}) == len(rows()) == 10


def test_what_is_planned_after_it_was_asked_for_is_not_in_it() -> None:
    run = went_out(2)
    asked(run)
    Delivery.objects.create(
        notification_id=deliveries(run)[0].notification_id, channel="email", queue="email", state="queued"
    )

    written()

    assert len(rows()) == 2


def test_what_a_clock_that_is_ahead_has_planned_is_in_it() -> None:
    run = went_out(2)
    first = deliveries(run)[0]
    early = floor_of(timezone.now() + timedelta(seconds=30))
    Delivery.objects.create(
        id=early, notification_id=first.notification_id, channel="email", queue="email", state="queued"
    )
    asked(run)

    written()

    assert len(rows()) == 3


def two_chunks(people: int) -> tuple[Run, Turn, Turn]:
    """A run of which two workers have a chunk each."""
    crowd(people)
    at = later()
    run = begun(campaign("sale", "sale-2", throttle_per_minute=3 * people), at)
    launching._freeze(lambda: at)
    first, second = (chunks.take(at + timedelta(minutes=one), lease_for=timedelta(minutes=5)) for one in (0, 1))
    assert first
    assert second
    return run, first, second


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_kept", [pytest.param(True, id="committed"), pytest.param(False, id="rolled back")])
def test_a_chunk_that_is_being_planned_when_it_is_asked_for_is_in_it_whenever_that_commits(
    monkeypatch: pytest.MonkeyPatch, *, is_kept: bool
) -> None:
    """Its ids are older than those of a chunk that is there already, and it is seen later."""
    monkeypatch.setattr(exporting, "STEP", 4)
    monkeypatch.setattr(exporting, "_TURN", 0)
    run, slow, fast = two_chunks(20)
    is_written, is_half_read = Event(), Event()
    counts = chunks.count_people

    def plans() -> None:
        def lingers(arm_id: UUID, people: int) -> None:
            """All is written, and nothing that another chunk would have to wait for."""
            if current_thread() is mine:
                is_written.set()
                assert is_half_read.wait(timeout=30)
            counts(arm_id, people)

        mine = current_thread()
        monkeypatch.setattr(chunks, "count_people", lingers)
        with transaction.atomic():
            launching.plan_chunk(slow, later())
            transaction.set_rollback(not is_kept)

    def reads() -> None:
        try:
            assert is_written.wait(timeout=30)
            launching.plan_chunk(fast, later())
            asked(run, "see_addresses")
            exporting.go_on(clock=timezone.now)
        finally:
            is_half_read.set()

    in_threads(plans, reads)
    written()

    found = [row["address"] for row in rows()]
    assert sorted(found) == sorted(one.address for one in deliveries(run))
    assert len(found) == len(set(found)) == (20 if is_kept else 10)


@pytest.mark.django_db(transaction=True)
def test_a_session_that_hangs_holds_a_file_up_for_a_minute_and_no_other() -> None:
    run, is_open, is_over = went_out(3), Event(), Event()

    def hangs() -> None:
        with transaction.atomic():
            Recipient.objects.create(external_id="unseen")
            is_open.set()
            assert is_over.wait(timeout=30)

    def finished(**span: float) -> int:
        exporting.go_on(clock=lambda: later(**span))
        return Export.objects.exclude(finished_at=None).count()

    def reads() -> list[int]:
        try:
            assert is_open.wait(timeout=30)
            asked(run)
            Export.objects.create(run=run, asked_by=staff(name="before the upgrade"), total=3)
            return [finished(), finished(), finished(minutes=1)]
        finally:
            is_over.set()

    assert in_threads(hangs, reads)[1] == [1, 1, 2]


def test_while_it_waits_it_is_looked_at_again_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(went_out(1))
    hints: list[int] = []
    monkeypatch.setattr(exporting, "_take", lambda at: None)
    monkeypatch.setattr(queues, "hint_task", lambda task, queue, *, after=0: hints.append(after))

    exporting.go_on(clock=timezone.now)

    assert hints == [1]


def test_a_run_of_nothing_is_a_file_with_a_heading() -> None:
    run = begun(campaign())
    asked(run)

    written()

    assert Export.objects.get().percent == 100
    assert rows() == []


def test_files_are_gone_after_a_day() -> None:
    asked(went_out(1))
    written()

    exporting.go_on(clock=lambda: later(hours=23))
    assert Export.objects.exists()
    exporting.go_on(clock=lambda: later(hours=24))
    assert not Export.objects.exists()
    assert not ExportPart.objects.exists()


def test_that_somebody_took_the_deliveries_is_in_the_audit_log() -> None:
    run = went_out(1)
    asked(run)

    entry = AuditEntry.objects.get(action="exported")
    assert (entry.actor_name, entry.model, entry.object_id) == ("staff", "campaigns.run", str(run.pk))
