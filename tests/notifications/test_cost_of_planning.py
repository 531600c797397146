"""What planning a chunk costs: always the same number of queries, and so many microseconds of our own a recipient.

The latter depend on the machine, so they are printed and not judged:
`.venv/bin/python -m pytest tests/notifications/test_cost_of_planning.py -n0`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as clock_time
from functools import cached_property
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.channels import Channel
from accounts.ids import floor_of, new_id
from accounts.models import Cap, Category, Device, Preference, Recipient, Refusal, Suppression
from accounts.models.kinds import any_of
from notifications import caps, facts
from notifications.ledger import people
from notifications.ledger.people import Aspects
from notifications.planning.plan import plan
from notifications.planning.values import Criteria, Facts
from templates_app import catalogue
from tests.builders import published

pytestmark = pytest.mark.django_db

#: In Seoul it is noon, so nothing is held; at night the end of quiet hours is worked out for everybody besides.
NOON, NIGHT = datetime(2026, 3, 2, 3, tzinfo=UTC), datetime(2026, 3, 2, 15, tzinfo=UTC)
END = floor_of(datetime(2030, 1, 1, tzinfo=UTC))
CONTENT: Any = {
    "push": {"ko": {"title": "새 소식", "body": "안녕하세요"}},
    "sms": {"ko": {"body": "안녕하세요"}},
    "email": {"ko": {"subject": "새 소식", "html": "<p>안녕하세요</p>", "text": "안녕하세요"}},
}


def crowd(count: int) -> None:
    """So many people with a device, both addresses, a zone, and a choice each."""
    everybody = [
        Recipient(
            external_id=f"p{number}",
            email=f"p{number}@people.example",
            phone=f"+8210{number:08d}",
            locale="ko-KR",
            country="KR",
            time_zone="Asia/Seoul",
        )
        for number in range(count)
    ]
    Recipient.objects.bulk_create(everybody)
    Device.objects.bulk_create(
        Device(recipient=one, platform="ios", service="apns", token=new_id().hex * 2) for one in everybody
    )
    Preference.objects.bulk_create(Preference(recipient=one, allowed=True) for one in everybody)


def all_rules_on() -> Category:
    category = Category.objects.get()
    Category.objects.update(
        consent="opt_in", quiet_from=clock_time(21), quiet_until=clock_time(8), routing="cheapest", when_capped="hold"
    )
    Cap.objects.create(category=category, most=3, hours=24)
    Cap.objects.create(category=category, most=10, hours=24 * 7)
    Cap.objects.create(category=None, most=20, hours=24)
    catalogue.forget()
    return category


@dataclass
class Chunk:
    """The first thousand of an audience, and the three parts of planning for them."""

    at: datetime

    @cached_property
    def question(self) -> facts.Question:
        edition = catalogue.published("welcome")
        assert edition
        return facts.Question(edition, (), tuple(Channel), {})

    def rows(self) -> Sequence[Any]:
        """What both statements give, as the driver hands it over."""
        aspects = Aspects(self.question.edition.category.id, with_devices=True)
        found = people.page_of(Criteria(), None, END, 1000, aspects)
        meant = any_of("address", [known for one in found for known in (one.phone, one.email, one.phone, one.email)])
        refused = Refusal.objects.filter(meant).values_list("channel", "address")
        list(Suppression.objects.filter(meant).values_list("channel", "address").union(refused, all=True))
        return found

    def known(self) -> Facts:
        return facts.gather_page(self.question, Criteria(), facts.Page(None, END, 1000))[0]

    def planned(self) -> int:
        """All of it; says for how many people."""
        known = self.known()
        decided = caps.counted(plan(known, self.at), known, new_id(), self.at)
        return len(known.people) if decided.decisions else 0


@pytest.mark.parametrize("at", [NOON, NIGHT], ids=["by day", "by night"])
def test_what_a_chunk_costs(at: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    published("welcome", CONTENT)
    crowd(1000)
    all_rules_on()
    chunk = Chunk(at)
    assert chunk.planned() == 1000  # and Redis learns of everybody from the log once
    known = chunk.known()
    decided = plan(known, at)

    sql, gathered = _cost(chunk.rows), _cost(chunk.known)
    rules, counting = _cost(lambda: plan(known, at)), _cost(lambda: caps.counted(decided, known, new_id(), at))

    with capsys.disabled():
        print(  # noqa: T201
            f"\n{at:%H} h UTC, µs a recipient: {gathered - sql:.1f} facts + {rules:.1f} rules + {counting:.1f} caps"
            f" = {gathered - sql + rules + counting:.1f} besides {sql:.1f} for reading what SQL gives"
        )


def _cost(work: Callable[[], object]) -> float:
    """Microseconds of this process a recipient, the best of many: what PostgreSQL and Redis do meanwhile is theirs."""
    times = []
    for _ in range(8):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times) * 1000


def test_a_chunk_of_a_thousand_asks_no_more_queries_than_one_of_ten() -> None:
    published("welcome", CONTENT)
    crowd(10)
    all_rules_on()
    chunk = Chunk(NOON)
    assert chunk.question.channels, "its template is read once, not once a chunk"
    few = _queries(chunk.planned)
    Recipient.objects.all().delete()
    crowd(1000)

    assert _queries(chunk.planned) == few
    assert few <= 3, "people, suppressions, and once the past of those whom no cap has counted yet"
    assert _queries(chunk.planned) == few - 1


def _queries(work: Callable[[], int]) -> int:
    with CaptureQueriesContext(connection) as asked:
        work()
    return len(asked)
