"""What people do is counted: each once, whoever tells it, whoever counts it, and whoever is killed meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.channels import Channel
from notifications.ledger import reactions
from notifications.models import DeliveryEvent, Reaction
from notifications.providers.contract import Receipt
from notifications.vocabulary import MACHINE, ReceiptKind
from tests.at_once import in_threads
from tests.notifications.logbook import header
from tests.tracking.reacting import NOW, PART, counts, engagement, said, sent, told
from tests.waiting import until
from tracking import engaging, folding
from tracking.models import Engagement, ReactionCount, ReactionKind

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "detail", "counted"),
    [
        ("opened", "", ReactionKind.OPENED),
        ("opened", f"{MACHINE} Apple", ReactionKind.MACHINE_OPENED),
        ("clicked", "https://shop.example/sale", ReactionKind.CLICKED),
        ("complained", "", ReactionKind.COMPLAINED),
        ("opted_out", "", ReactionKind.UNSUBSCRIBED),
    ],
)
def test_each_doing_is_counted_as_what_it_is(kind: str, detail: str, counted: ReactionKind) -> None:
    [delivery] = sent()

    told(said(delivery, kind, detail=detail))

    assert counts() == {counted: (1, 1)}
    row = engagement(delivery)
    assert {name for name in vars(row) if name.endswith("_at") and getattr(row, name)} >= {f"{counted}_at"}
    assert (row.recipient_id, row.channel, row.part_of) == (delivery.recipient_id, "email", PART)
    assert row.version_id == delivery.notification.version_id


@pytest.mark.parametrize("kind", ["delivered", "bounced", "failed", "deferred", "blocked"])
def test_what_becomes_of_a_message_by_itself_is_nobodys_doing(kind: str) -> None:
    [delivery] = sent()

    told(said(delivery, kind), fold=False)

    assert not Reaction.objects.exists()


def test_people_count_the_first_time_and_times_every_time() -> None:
    first, second = sent(2)

    told(said(first, "clicked"), said(first, "clicked"))
    told(said(first, "clicked"), said(second, "clicked"))

    assert counts() == {"clicked": (2, 4)}
    assert (engagement(first).clicks, engagement(second).clicks) == (3, 1)


def test_a_program_that_opens_is_not_a_person_who_opens() -> None:
    [delivery] = sent()
    again = said(delivery, "opened")

    told(said(delivery, "opened", detail=f"{MACHINE} Apple"), again)
    told(again)

    assert counts() == {"opened": (1, 1), "machine_opened": (1, 1)}
    assert engagement(delivery).opens == 1


def test_both_are_events_though_the_provider_calls_them_alike() -> None:
    [delivery] = sent()
    person = said(delivery, "opened")
    program = Receipt(delivery.pk, ReceiptKind.OPENED, NOW, f"{MACHINE} Apple", person.event_ref)

    told(person, program, person, program)

    assert DeliveryEvent.objects.of(delivery.pk).filter(kind="opened").count() == 2
    assert counts() == {"opened": (1, 1), "machine_opened": (1, 1)}


def test_the_first_and_the_last_moment_do_not_hang_on_the_order_of_the_news() -> None:
    [delivery] = sent()
    early, middle, late = (NOW - timedelta(minutes=minutes) for minutes in (20, 10, 0))

    for at in (middle, late, early):
        told(said(delivery, "clicked", at))

    row = engagement(delivery)
    assert (row.clicked_at, row.last_clicked_at) == (early, late)


def test_each_time_counts_in_its_hour_and_a_person_in_the_first() -> None:
    [delivery] = sent()

    told(said(delivery, "opened", NOW - timedelta(hours=2)), said(delivery, "opened", NOW))

    rows = ReactionCount.objects.order_by("hour").values_list("hour", "people", "times")
    hour = NOW.replace(minute=0)
    assert list(rows) == [(hour - timedelta(hours=2), 1, 1), (hour, 0, 1)]


def test_purposes_and_channels_are_counted_apart() -> None:
    for head, channel in ((header(), Channel.EMAIL), (header(), Channel.EMAIL), (header(), Channel.SMS)):
        [delivery] = sent(1, channel, head=head)
        told(said(delivery, "clicked"))

    assert sorted(ReactionCount.objects.values_list("channel", "people")) == [("email", 1), ("email", 1), ("sms", 1)]


@pytest.mark.parametrize("kind", ["complained", "opted_out"])
def test_what_a_provider_remembers_of_before_is_not_this_messages_doing(kind: str) -> None:
    [delivery] = sent()

    told(said(delivery, "failed"), said(delivery, kind))

    assert counts() == {}
    assert not Reaction.objects.exists()


def test_news_of_a_message_that_is_gone_from_the_log_counts_nowhere() -> None:
    first, second = sent(2)
    told(said(first, "opened"), said(second, "opened"), fold=False)
    first.delete()

    folding.fold(clock=lambda: NOW)

    assert counts() == {"opened": (1, 1)}
    assert not Reaction.objects.exists()


def test_a_worker_that_is_killed_has_counted_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    [delivery] = sent()
    told(said(delivery, "opened"), said(delivery, "clicked"), fold=False)
    whole = engaging.engage

    def killed(*news: Any) -> None:
        whole(*news)
        raise KeyboardInterrupt

    monkeypatch.setattr(folding, "engage", killed)
    with pytest.raises(KeyboardInterrupt):
        folding.fold(clock=lambda: NOW)
    monkeypatch.undo()
    assert (counts(), Reaction.objects.count()) == ({}, 2)

    folding.fold(clock=lambda: NOW)

    assert counts() == {"opened": (1, 1), "clicked": (1, 1)}
    assert (engagement(delivery).opens, engagement(delivery).clicks) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_count_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    deliveries = sent(40)
    for kind in ("opened", "clicked", "opened", "clicked"):
        # in two orders, so that workers want the same rows in opposite ones
        told(*[said(one, kind) for one in deliveries], *[said(one, kind) for one in reversed(deliveries)], fold=False)
    monkeypatch.setattr(folding, "TOGETHER", 15)

    in_threads(*[lambda: folding.fold(clock=lambda: NOW)] * 4)

    assert counts() == {"opened": (40, 160), "clicked": (40, 160)}
    assert set(Engagement.objects.values_list("opens", "clicks")) == {(4, 4)}
    assert not Reaction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_connection_breaks_leaves_its_news_to_the_next() -> None:
    [delivery] = sent()
    told(said(delivery, "opened"), fold=False)

    def dies() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
        reactions.take(10)
        connection.connection.close()

    in_threads(dies)

    # the server notices within moments, and rolls back
    until(lambda: folding.fold(clock=lambda: NOW))
    assert counts() == {"opened": (1, 1)}


def test_what_is_older_than_the_log_is_forgotten(settings: Any) -> None:
    [delivery] = sent()
    told(said(delivery, "opened"))

    folding.forget(clock=lambda: NOW)
    assert Engagement.objects.exists()
    folding.forget(clock=lambda: NOW + timedelta(days=settings.RETENTION_DAYS + 2))

    assert not Engagement.objects.exists()
    assert not ReactionCount.objects.exists()
