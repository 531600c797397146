"""The demo's campaign: who is there, who reads and clicks, and what is called a flaw."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from accounts.models import Device, Recipient
from campaigns.models import Segment
from config.demo import guests
from config.demo.campaign import Came
from config.demo.readers import Readers
from templates_app.catalogue import published
from templates_app.starter import install_starters

HERE = "http://localhost:8000"


def mail(title: str = "봄 세일이 시작되었습니다", at: float = 1000.0, **others: Any) -> Mapping[str, Any]:
    html = f'<a href="{HERE}/c/link">봄</a> <a href="{HERE}/u/out">수신 거부</a><img src="{HERE}/e/seen.gif">'
    return {"title": title, "html": html, "at": at, "kind": "email", "address": "guest-001@example.com", **others}


def visits(*mails: Mapping[str, Any]) -> Counter[str]:
    readers = Readers(HERE, f"{HERE}/inbox")
    return Counter(visit.path for one in mails for visit in readers.plan(one))


@pytest.mark.parametrize(
    ("title", "opens", "clicks"), [("봄 세일이 시작되었습니다", 40, 14), ("봄옷과 봄 신발 20% 할인", 55, 34)]
)
def test_of_a_hundred_readers_as_many_open_and_click_as_the_subject_tempts(title: str, opens: int, clicks: int) -> None:
    assert visits(*[mail(title)] * 100) == {"/e/seen.gif": opens, "/c/link": clicks}


def test_nobody_unsubscribes_goes_elsewhere_or_is_as_quick_as_a_machine() -> None:
    away = mail(html='<a href="https://shop.example.com/c/link">x</a><img src="http://localhost:9000/e/seen.gif">')
    readers = Readers(HERE, f"{HERE}/inbox")

    assert [visit for _ in range(100) for visit in readers.plan(away)] == []
    assert min(visit.at for _ in range(100) for visit in readers.plan(mail(at=1000.0))) >= 1004


@pytest.mark.django_db
def test_guests_are_made_once_and_speak_what_both_wordings_speak() -> None:
    install_starters()
    for _ in range(2):
        guests.assemble()

    people = Recipient.objects.filter(external_id__startswith="guest-")
    assert people.count() == guests.GUESTS
    assert Device.objects.filter(recipient__in=people).count() == guests.GUESTS * 4 // 5
    assert Segment.objects.get(name=guests.EVERYBODY).rules == {}
    for name in guests.WORDINGS:
        edition = published(name)
        assert edition is not None
        for channel in edition.channels:
            assert {edition.locale_for(channel, one["locale"]) for one in people.values("locale")} == {"ko", "en"}


def came(taken: Sequence[int] = (1, 1), clicks: int = 1, state: str = "finished", **counts: int) -> Came:
    usual = {"planned": 2, "sent": 2, "failed": 0, "clicked": 1}
    return Came({"name": "Spring sale", "run": {"state": state, "counts": usual | counts}}, (), taken, clicks)


@pytest.mark.parametrize(
    ("ended", "flaw"),
    [
        (came(), ""),
        (came(state="running"), "the run is running"),
        (Came({"name": "Spring sale", "run": None}, (), (), 0), "the run is not there"),
        (came(sent=1, failed=1), "1 of 2 were sent, 1 failed"),
        (came(taken=(1, 2)), "1 of 2 messages were not taken once"),
        (came(clicks=2), "2 people clicked, and 1 are counted"),
        (came(clicks=0, clicked=0), "nobody clicked"),
    ],
)
def test_a_campaign_is_right_when_all_arrived_once_and_every_click_is_counted(ended: Came, flaw: str) -> None:
    assert ended.flaw == flaw
