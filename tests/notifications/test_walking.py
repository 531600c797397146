"""Audiences: everybody is planned for once, whatever happens to the workers that walk."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Recipient
from notifications import walking
from notifications.ledger import audiences
from notifications.models import Audience, Batch, Delivery
from tests.api.shop import DATA, Shop, jimin, opted_out, shop

pytestmark = pytest.mark.django_db

PATH = "/v1/notifications"


def people(count: int, **values: str) -> list[Recipient]:
    """So many recipients with a phone each."""
    start = Recipient.objects.count()
    return Recipient.objects.bulk_create(
        Recipient(external_id=f"p-{number}", phone=f"+82101{number:07}", locale="ko-KR", **values)
        for number in range(start, start + count)
    )


def announced(caller: Shop, **changes: Any) -> Any:
    """A notification by SMS to everybody."""
    body = {"template": "restock", "audience": {}, "data": DATA, "channels": ["sms"]} | changes
    return caller.post(PATH, body)


def walked() -> int:
    """Walk until nobody is left."""
    total = 0
    while people_planned := walking.walk(clock=timezone.now):
        total += people_planned
    return total


def test_everybody_gets_one_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "_TOGETHER", 10)
    caller = shop()
    people(25)

    told = announced(caller)
    assert told.status_code == 202, told.content
    assert walked() == 25

    numbers = list(Delivery.objects.values_list("address", flat=True))
    assert len(numbers) == len(set(numbers)) == 25
    progress = caller.get(f"{PATH}/{told.json()['id']}").json()
    assert progress["planning"] | {"finished_at": None} == {
        "people": 25, "planned": 25, "suppressed": 0, "finished_at": None,
    }  # fmt: skip
    assert progress["planning"]["finished_at"]
    assert progress["deliveries"] == {"queued": 25}
    assert sum(Batch.objects.values_list("size", flat=True)) == 25


def test_only_those_who_meet_the_criteria_are_planned_for() -> None:
    caller = shop()
    people(3, country="KR")
    people(4, country="JP")

    announced(caller, audience={"country": "JP"})

    assert walked() == 4


def test_who_came_after_acceptance_is_not_planned_for() -> None:
    caller = shop()
    people(3)
    announced(caller)
    people(2)

    assert walked() == 3


def test_who_opted_out_is_spared_and_counted() -> None:
    caller = shop()
    opted_out(jimin(), caller.category, "sms")

    told = announced(caller).json()
    walked()

    progress = caller.get(f"{PATH}/{told['id']}").json()
    assert progress["planning"]["suppressed"] == 1
    assert progress["deliveries"] == {"suppressed": 1}


def test_a_walk_that_was_cut_off_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "_TOGETHER", 10)
    caller = shop()
    people(25)
    announced(caller)
    at = timezone.now()
    lost = audiences.take(at, lease_for=timedelta(seconds=30))
    assert lost is not None
    assert walking._step(lost, walking._header(lost), at) is not None  # and then the worker is killed

    assert walking.walk(clock=timezone.now) == 0, "its lease still holds"
    later = at + timedelta(seconds=61)
    assert walking.walk(clock=lambda: later) == 15

    assert Delivery.objects.values("address").distinct().count() == Delivery.objects.count() == 25


def test_a_walker_that_lost_its_lease_appends_nothing() -> None:
    caller = shop()
    people(5)
    announced(caller)
    at = timezone.now()
    frozen = audiences.take(at, lease_for=timedelta(seconds=1))
    assert frozen is not None
    walking.walk(clock=lambda: at + timedelta(seconds=2))

    assert walking._step(frozen, walking._header(frozen), at + timedelta(seconds=3)) is None
    assert Delivery.objects.count() == 5


def test_cancelling_ends_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "_TOGETHER", 10)
    caller = shop()
    people(25)
    told = announced(caller).json()
    first = audiences.take(timezone.now(), lease_for=timedelta(seconds=30))
    assert first is not None
    walking._step(first, walking._header(first), timezone.now())

    cancelled = caller.post(f"{PATH}/{told['id']}/cancel", {})

    assert cancelled.json() == {"cancelled": 10, "too_late": 0}
    assert walking._step(first, walking._header(first), timezone.now()) is None
    assert walked() == 0
    assert Audience.objects.get().finished_at


def test_a_dry_run_counts_people_and_writes_nothing() -> None:
    caller = shop()
    people(3)

    told = announced(caller, dry_run=True).json()

    assert (told["id"], told["audience"]) == (None, 3)
    assert not Audience.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recipients": ["jimin"]}, "recipients"),
        ({"audience": {"planet": "Mars"}}, "audience.planet"),
        ({"data": {"user_name": "지민"}}, "data.product_name"),
        ({"audience": []}, "audience"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], field: str) -> None:
    answer = announced(shop(), **changes)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not Audience.objects.exists()


def test_the_sweep_hints_for_audiences_that_nobody_walks() -> None:
    caller = shop()
    people(1)
    announced(caller)

    assert audiences.are_open(timezone.now())
    walked()
    assert not audiences.are_open(datetime.now(tz=UTC))
