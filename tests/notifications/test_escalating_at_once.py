"""Whoever comes at the same moment, and whoever dies in the middle: each next channel is planned once."""

import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Category, Recipient
from notifications import escalating, walking
from notifications.ledger import cancel as cancelling
from notifications.ledger.escalations import hurry
from notifications.models import Delivery, DeliveryEvent, Escalation, Notification
from templates_app import catalogue
from tests.api.shop import DATA, jimin, shop
from tests.at_once import in_threads
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def campaign(people: int) -> None:
    """So many text messages that nobody heard of, with an email to follow each; all of them due."""
    caller = shop()
    Category.objects.filter(pk=caller.category.pk).update(routing="escalate", routing_order=["sms", "email"])
    catalogue.forget()
    Recipient.objects.bulk_create(
        Recipient(external_id=f"p-{n}", phone=f"+82101{n:07}", email=f"p{n}@example.com", locale="ko-KR")
        for n in range(people)
    )
    body = {"template": "restock", "audience": {}, "data": DATA, "channels": ["sms", "email"], "urgency": "bulk"}
    assert caller.post("/v1/notifications", body).status_code == 202
    while walking.walk(clock=timezone.now):
        pass
    Delivery.objects.filter(channel="sms").update(state="sent", attempt=1, sent_at=timezone.now())
    assert Escalation.objects.count() == people


def due() -> datetime:
    """When the text messages have had their time."""
    return timezone.now() + timedelta(minutes=11)


def test_four_workers_at_once_plan_each_next_channel_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalating, "_TOGETHER", 7)
    campaign(60)
    moment = due()

    counts = in_threads(*[lambda: escalating.escalate(clock=lambda: moment)] * 4)

    assert sum(int(str(count)) for count in counts) == 60
    addresses = list(Delivery.objects.filter(channel="email").values_list("address", flat=True))
    assert len(addresses) == len(set(addresses)) == 60
    assert not Escalation.objects.exists()
    assert DeliveryEvent.objects.filter(kind="escalated").count() == 120


def test_a_round_that_is_rolled_back_leaves_all_as_it_was() -> None:
    campaign(5)

    with transaction.atomic():
        escalating.escalate(clock=due)
        transaction.set_rollback(True)

    assert Escalation.objects.count() == 5
    assert not Delivery.objects.filter(channel="email").exists()
    assert escalating.escalate(clock=due) == 5
    assert Delivery.objects.filter(channel="email").count() == 5


#: A worker that has planned and written, and is killed before it can commit.
_DIES = """
import sys, time
from datetime import datetime, timedelta
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from django.utils import timezone
from notifications import escalating
writes = escalating.append_events
def hangs(events):
    writes(events)
    print("written", flush=True)
    time.sleep(60)
escalating.append_events = hangs
escalating.escalate(clock=lambda: timezone.now() + timedelta(minutes=11))
"""


def test_a_worker_that_is_killed_before_its_commit_leaves_it_to_the_next() -> None:
    campaign(5)
    program = [sys.executable, "-c", _DIES, connection.settings_dict["NAME"]]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(program, stdout=subprocess.PIPE, env=env) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"written\n"
            assert escalating.escalate(clock=due) == 0, "they are in its hands"
        finally:
            worker.send_signal(signal.SIGKILL)
    assert not Delivery.objects.filter(channel="email").exists()

    until(lambda: escalating.escalate(clock=due) == 5)

    assert Delivery.objects.filter(channel="email").count() == 5
    assert not Escalation.objects.exists()


def test_cancelling_while_it_goes_on_withdraws_what_came_of_it() -> None:
    campaign(20)
    notification = Notification.objects.get()

    in_threads(lambda: escalating.escalate(clock=due), lambda: cancelling.cancel(notification.id, timezone.now()))

    assert not Escalation.objects.exists()
    states = list(Delivery.objects.filter(channel="email").values_list("state", "reason"))
    assert len(states) == 20
    assert set(states) <= {("cancelled", "cancelled"), ("suppressed", "cancelled")}


def test_of_two_devices_that_die_at_the_same_moment_the_second_makes_it_due() -> None:
    caller = shop()
    Category.objects.update(routing="escalate")
    catalogue.forget()
    jimin()
    caller.post("/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA})
    both_failed = threading.Barrier(2)

    def dies(delivery_id: UUID) -> None:
        with transaction.atomic():
            Delivery.objects.filter(pk=delivery_id).update(state="failed", reason="address_dead")
            both_failed.wait()
            hurry([delivery_id], timezone.now())

    first, second = Escalation.objects.get().delivery_ids
    in_threads(lambda: dies(first), lambda: dies(second))

    assert Escalation.objects.get().due_at <= timezone.now()


def test_a_thousand_take_as_many_queries_as_ten() -> None:
    counts = []
    for people in (10, 1000):
        Escalation.objects.all().delete()
        Delivery.objects.all().delete()
        Recipient.objects.all().delete()
        campaign(people)
        with CaptureQueriesContext(connection) as queries:
            assert escalating.escalate(clock=due) == people
        counts.append(len(queries))
        assert Delivery.objects.filter(channel="email").count() == people

    assert counts[1] <= counts[0] + 12, counts
