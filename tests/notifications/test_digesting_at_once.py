"""Whoever adds and whoever sends at the same moment, and whoever dies in the middle: every item goes once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.ids import new_id
from accounts.models import Recipient
from notifications import digesting, walking
from notifications.ledger import cancel as cancelling
from notifications.models import Delivery, DeliveryEvent, Digest, DigestEntry, Notification
from tests.api.shop import Shop, jimin
from tests.at_once import in_threads
from tests.notifications.gathering import PATH, asked, body, closed, gathering_shop, in_time, names, sent
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def crowd(people: int) -> None:
    """So many people with a number."""
    Recipient.objects.bulk_create(
        Recipient(external_id=f"p-{n}", phone=f"+82101{n:07}", locale="ko-KR") for n in range(people)
    )


def campaign(caller: Shop, name: str) -> None:
    """One item for everybody."""
    assert caller.post(PATH, body(name, recipients=None, audience={}, urgency="bulk")).status_code == 202
    while walking.walk(clock=timezone.now):
        pass


def told() -> Counter[tuple[str, str]]:
    """How often each person was told of each thing."""
    return Counter((one.address, name) for one in sent() for name in names(one))


def test_of_all_who_begin_a_digest_at_once_one_does() -> None:
    caller = gathering_shop()
    jimin()

    answers = in_threads(*[lambda n=n: asked(caller, str(n)) for n in range(8)])

    assert len({answer["recipients"][0]["due_at"] for answer in answers}) == 1
    assert (Digest.objects.count(), DigestEntry.objects.count()) == (1, 8)
    assert closed() == 1
    assert sorted(names(sent()[0])) == [str(n) for n in range(8)]


def test_the_database_knows_one_open_digest_of_a_person_and_key() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    one = Digest.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        Digest.objects.bulk_create([Digest(**{**_columns(one), "id": new_id()})])


def _columns(one: Digest) -> dict[str, object]:
    return {field.attname: getattr(one, field.attname) for field in Digest._meta.concrete_fields}


def test_four_workers_at_once_send_each_digest_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digesting, "_TOGETHER", 7)
    crowd(60)
    caller = gathering_shop()
    for name in ("가", "나", "다"):
        campaign(caller, name)
    moment = in_time()

    counts = in_threads(*[lambda: digesting.close(clock=lambda: moment)] * 4)

    assert sum(int(str(count)) for count in counts) == 60
    assert set(told().values()) == {1}
    assert len(told()) == 180
    assert not Digest.objects.exists()
    assert not DigestEntry.objects.exists()


def test_adders_and_closers_race_and_every_item_goes_exactly_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of a moment: for closers everything is due at once, while three callers and a campaign add to them."""
    monkeypatch.setattr(digesting, "_TOGETHER", 5)
    crowd(12)
    caller = gathering_shop()
    over = threading.Event()

    def adds(who: int) -> None:
        for n in range(15):
            # in no order that two of them share, and in one request, so that each holds several
            people = [f"p-{(who + n + place * 5) % 12}" for place in range(4)]
            asked(caller, f"{who}-{n}", recipients=people)

    def closes() -> None:
        # as if eleven minutes went by between any two turns
        while not over.is_set():
            digesting.close(clock=in_time)
            time.sleep(0.005)

    def all_adders() -> None:
        try:
            in_threads(*[lambda who=who: adds(who) for who in range(3)], lambda: campaign(caller, "all"))
        finally:
            over.set()

    in_threads(all_adders, closes, closes, closes)
    closed()

    expected = 3 * 15 * 4 + 12
    assert sum(told().values()) == len(told()) == expected, "none lost, none twice"
    assert len(sent()) > 12, "they were closed again and again meanwhile"
    assert not Digest.objects.exists()
    assert not DigestEntry.objects.exists()
    gathered = set(Delivery.objects.filter(reason="digested").values_list("id", flat=True))
    went = DeliveryEvent.objects.filter(kind="digested", delivery_id__in=gathered).values_list("delivery_id", flat=True)
    assert sorted(went) == sorted(gathered), "each says by which it went"


def test_a_round_that_is_rolled_back_leaves_all_as_it_was() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    asked(caller, "나")

    with transaction.atomic():
        assert closed() == 1
        transaction.set_rollback(True)

    assert DigestEntry.objects.count() == 2
    assert not sent()
    assert closed() == 1
    assert [names(one) for one in sent()] == [["가", "나"]]


#: A worker that has planned and written, and is killed before it can commit.
_DIES = """
import sys, time
from datetime import timedelta
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from django.utils import timezone
from notifications import digesting
settles = digesting.digests.settle
def hangs(*args):
    settles(*args)
    print("settled", flush=True)
    time.sleep(60)
digesting.digests.settle = hangs
digesting.close(clock=lambda: timezone.now() + timedelta(minutes=11))
"""


def test_a_worker_that_is_killed_before_its_commit_leaves_it_to_the_next() -> None:
    crowd(5)
    caller = gathering_shop()
    campaign(caller, "가")
    program = [sys.executable, "-c", _DIES, connection.settings_dict["NAME"]]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(program, stdout=subprocess.PIPE, env=env) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"settled\n"
            assert closed() == 0, "they are in its hands"
        finally:
            worker.send_signal(signal.SIGKILL)
    assert not sent()

    until(lambda: closed() == 5)

    assert set(told().values()) == {1}
    assert len(told()) == 5
    assert not Digest.objects.exists()


def test_what_comes_while_a_digest_is_being_sent_waits_and_begins_the_next() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    is_written, may_commit = threading.Event(), threading.Event()

    def closes() -> None:
        with transaction.atomic():
            closed()
            is_written.set()
            may_commit.wait(10)

    def adds() -> None:
        is_written.wait(10)
        asked(caller, "나")

    def lets_go() -> None:
        is_written.wait(10)
        time.sleep(0.3)
        assert not DigestEntry.objects.filter(notification__data__name="나").exists(), "it waits"
        may_commit.set()

    in_threads(closes, adds, lets_go)

    assert [names(one) for one in sent()] == [["가"]]
    assert closed() == 1
    assert [names(one) for one in sent()] == [["가"], ["나"]]


def test_what_is_being_added_is_passed_by_until_it_is_there() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")

    with transaction.atomic():
        asked(caller, "나")
        (count,) = in_threads(closed)
        assert count == 0
    assert closed() == 1

    assert [names(one) for one in sent()] == [["가", "나"]]


def test_cancelling_while_it_is_sent_is_in_time_or_too_late_and_says_which() -> None:
    crowd(20)
    caller = gathering_shop()
    campaign(caller, "가")
    notification = Notification.objects.get()

    _, answer = in_threads(closed, lambda: cancelling.cancel(notification.id, timezone.now()))

    assert isinstance(answer, cancelling.Cancelled)
    assert answer.cancelled + answer.too_late == 20
    closed()
    assert len(sent()) == answer.too_late


def test_two_hundred_take_as_many_reads_as_ten() -> None:
    counts = []
    caller = gathering_shop()
    for people in (10, 200):
        Recipient.objects.all().delete()
        crowd(people)
        campaign(caller, "가")
        with CaptureQueriesContext(connection) as queries:
            assert closed() == people
        reads = [one["sql"] for one in queries if one["sql"].lstrip().startswith(("SELECT", "WITH"))]
        counts.append(len(reads))

    assert counts[1] <= counts[0] + 2, counts


def test_a_caller_whose_clock_is_behind_joins_no_digest_that_ended() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    Digest.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    asked(caller, "나")

    assert Digest.objects.filter(is_open=True).count() == 1
    assert closed() == 2
    assert sorted(names(one) for one in sent()) == [["가"], ["나"]]
