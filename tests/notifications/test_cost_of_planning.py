"""What planning a chunk costs: so many microseconds of our own a recipient, and always the same number of queries.

`pytest tests/notifications/test_cost_of_planning.py -n0 -s` prints the figures.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as clock_time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.channels import Channel
from accounts.ids import floor_of, new_id
from accounts.models import Cap, Category, Device, Preference, Recipient
from notifications import caps, facts
from notifications.planning.plan import plan
from notifications.planning.values import Criteria
from templates_app import catalogue
from tests.builders import published

pytestmark = pytest.mark.django_db

#: In Seoul it is noon, so nothing is held; at night the end of quiet hours is worked out for everybody besides.
NOON, NIGHT = datetime(2026, 3, 2, 3, tzinfo=UTC), datetime(2026, 3, 2, 15, tzinfo=UTC)
CONTENT: Any = {
    "push": {"ko": {"title": "새 소식", "body": "안녕하세요"}},
    "sms": {"ko": {"body": "안녕하세요"}},
    "email": {"ko": {"subject": "새 소식", "html": "<p>안녕하세요</p>", "text": "안녕하세요"}},
}


def crowd(count: int) -> None:
    """So many people with a device, both addresses, a zone, and a choice each."""
    people = [
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
    Recipient.objects.bulk_create(people)
    Device.objects.bulk_create(
        Device(recipient=one, platform="ios", service="apns", token=new_id().hex * 2) for one in people
    )
    Preference.objects.bulk_create(Preference(recipient=one, allowed=True) for one in people)


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


def chunk(at: datetime) -> Callable[[], int]:
    """One chunk of an audience, from its facts to its plan; says for how many people."""
    edition = catalogue.published("welcome")
    assert edition
    question = facts.Question(edition, (), tuple(Channel), {})
    page = facts.Page(None, floor_of(datetime(2030, 1, 1, tzinfo=UTC)), 1000)

    def planned() -> int:
        known, _ = facts.gather_page(question, Criteria(), page)
        decided = caps.counted(plan(known, at), known, new_id(), at)
        return len(known.people) if decided.decisions else 0

    return planned


@pytest.mark.parametrize("at", [NOON, NIGHT], ids=["by day", "by night"])
def test_a_chunk_costs_little_besides_what_it_asks_for(at: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    published("welcome", CONTENT)
    crowd(1000)
    all_rules_on()
    planned = chunk(at)
    planned()  # Redis learns of everybody from the log once

    best = min(_cpu_seconds(planned) for _ in range(5))

    with capsys.disabled():
        print(f"\nplanning with all rules on, {at:%H} h UTC: {best * 1000:.1f} µs a recipient of our own")  # noqa: T201
    # with two busy neighbours a figure of 40 can double; this is to catch what grows by an order of magnitude
    assert best * 1000 < 200


def _cpu_seconds(work: Callable[[], int]) -> float:
    """Of this process: what PostgreSQL and Redis do meanwhile is theirs."""
    before = time.process_time()
    assert work() == 1000
    return time.process_time() - before


def test_a_chunk_of_a_thousand_asks_no_more_queries_than_one_of_ten() -> None:
    published("welcome", CONTENT)
    crowd(10)
    all_rules_on()
    planned = chunk(NOON)
    few = _queries(planned)
    Recipient.objects.all().delete()
    crowd(1000)

    assert _queries(planned) == few
    assert few <= 3, "people, suppressions, and once the past of those whom no cap has counted yet"


def _queries(work: Callable[[], int]) -> int:
    with CaptureQueriesContext(connection) as asked:
        work()
    return len(asked)
