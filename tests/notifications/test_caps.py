"""Nobody gets more than a cap allows: whoever plans at once, whatever Redis forgets."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import redis
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.channels import Channel
from accounts.ids import new_id
from accounts.models import Cap, Category, Recipient
from accounts.policies import WhenCapped
from notifications import caps
from notifications.ledger import capping
from notifications.models import Delivery, Notification
from notifications.planning.plan import plan
from notifications.planning.rules.caps import first_room
from notifications.planning.values import CapRule, Drop, Facts, Policy, QuietHours, Send
from notifications.walking import walk
from templates_app import catalogue
from tests.api.shop import DATA, Shop, jimin, shop
from tests.planning.examples import NEWS, facts, person

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def question(*rules: CapRule, who: Any = None, **policy: Any) -> Facts:
    everything = {"opt_in": False, "is_critical": False, "name": "marketing", "caps": rules, **policy}
    inline = who or person(recipient_id=None)
    return facts(inline, channels=(Channel.SMS,), policy=Policy(NEWS, **everything))


def verdict(asked: Facts, at: datetime, *, name: UUID | None = None, peek: bool = False) -> Any:
    return caps.counted(plan(asked, at), asked, name or new_id(), at, peek=peek).decisions[0].verdict


def moment_of(found: Any, at: datetime) -> datetime | None:
    """When it leaves; None where it is too many."""
    if isinstance(found, Drop):
        return None
    return found.hold.until if found.hold else at


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    away = redis.Redis(host="127.0.0.1", port=9, retry=Retry(NoBackoff(), retries=0))
    monkeypatch.setattr("notifications.caps.client", lambda: away)


# --- counting -------------------------------------------------------------------------------------------
def test_the_fourth_of_three_a_day_is_dropped_and_a_day_after_the_first_there_is_room_again() -> None:
    asked = question(CapRule(NEWS, None, 3, 24 * HOUR))
    moments = [START, START + HOUR, START + 2 * HOUR, START + 3 * HOUR, START + 24 * HOUR, START + 24.5 * HOUR]

    fates = [isinstance(verdict(asked, at), Send) for at in moments]

    assert fates == [True, True, True, False, True, False]


def test_all_caps_that_fit_hold_together_and_a_refusal_takes_no_place() -> None:
    day, total = CapRule(NEWS, None, 2, 24 * HOUR), CapRule(None, None, 3, 24 * HOUR)
    other = CapRule(UUID(int=2), None, 9, 24 * HOUR)

    assert [isinstance(verdict(question(day, total), START), Send) for _ in range(4)] == [True, True, False, False]
    assert [isinstance(verdict(question(other, total), START), Send) for _ in range(3)] == [True, False, False]


def test_what_is_held_takes_the_next_place_and_keeps_it() -> None:
    asked = question(CapRule(NEWS, None, 1, 24 * HOUR), when_capped=WhenCapped.HOLD)

    found = [moment_of(verdict(asked, START + place * HOUR), START + place * HOUR) for place in range(4)]

    assert found == [START + 24 * place * HOUR for place in range(4)]


def test_a_cap_puts_nothing_off_into_the_night() -> None:
    night = QuietHours(time(21), time(8))
    asked = question(
        CapRule(NEWS, None, 1, 12 * HOUR), when_capped=WhenCapped.HOLD, quiet=night, quiet_spread=timedelta(0)
    )
    noon = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # in Seoul

    first, second, third = (moment_of(verdict(asked, noon), noon) for _ in range(3))

    assert first == noon
    assert second == noon + 20 * HOUR, "not at midnight but at eight in the morning"
    assert third == noon + 32 * HOUR, "and the next one counts from then"


def test_a_message_that_is_planned_again_counts_once() -> None:
    asked, name = question(CapRule(NEWS, None, 1, 24 * HOUR)), new_id()

    assert all(isinstance(verdict(asked, START, name=name), Send) for _ in range(3))
    assert isinstance(verdict(asked, START), Drop)


def test_a_dry_run_counts_nothing_and_what_was_not_written_is_given_back() -> None:
    asked, name = question(CapRule(NEWS, None, 1, 24 * HOUR)), new_id()
    assert all(isinstance(verdict(asked, START, peek=True), Send) for _ in range(3))
    verdict(asked, START, name=name)

    caps.give_back(plan(asked, START), asked, name, START)

    assert isinstance(verdict(asked, START), Send)


def test_what_is_critical_is_always_sent_and_counts_for_the_others() -> None:
    total = CapRule(None, None, 1, 24 * HOUR)

    assert all(isinstance(verdict(question(total, is_critical=True), START), Send) for _ in range(3))
    assert isinstance(verdict(question(total), START), Drop)


def test_what_lies_behind_is_forgotten(redis_client: redis.Redis) -> None:
    asked = question(CapRule(NEWS, None, 3, HOUR))
    for place in range(50):
        verdict(asked, START + place * HOUR)

    (key,) = redis_client.keys("cap:*:*:3600:*")
    assert redis_client.zcard(key) <= 3
    assert 0 < redis_client.ttl(key) <= 3661


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    most=st.integers(1, 3),
    hours=st.integers(1, 6),
    steps=st.lists(st.tuples(st.integers(0, 90), st.booleans()), max_size=14),
)
def test_redis_counts_as_the_rule_on_paper_says(
    redis_client: redis.Redis, most: int, hours: int, steps: list[tuple[int, bool]]
) -> None:
    redis_client.flushdb()
    rule, at, taken = CapRule(NEWS, None, most, hours * HOUR), START, list[float]()
    for minutes, holds in steps:
        at += timedelta(minutes=minutes)
        found = moment_of(verdict(question(rule, when_capped=WhenCapped.HOLD if holds else WhenCapped.DROP), at), at)

        room = first_room(taken, most, hours * 3600, at.timestamp())
        if holds or room == at.timestamp():
            assert found is not None
            assert found.timestamp() == pytest.approx(room, abs=0.01)
            taken = sorted([*taken, room])
        else:
            assert found is None


def test_many_workers_at_once_never_give_anybody_too_many() -> None:
    asked = question(CapRule(NEWS, None, 5, 24 * HOUR), CapRule(None, Channel.SMS, 7, 48 * HOUR))

    with ThreadPoolExecutor(8) as workers:
        fates = list(workers.map(lambda _: isinstance(verdict(asked, START), Send), range(64)))

    assert sum(fates) == 5


# --- on the road ----------------------------------------------------------------------------------------
@pytest.fixture
def api(db: None) -> Shop:
    """A shop whose category allows two text messages a day, and Jimin, who gets them."""
    made = shop()
    jimin()
    Cap.objects.create(category=Category.objects.get(), channel="sms", most=2, hours=24)
    return made


def asked_for(api: Shop, **changes: Any) -> list[dict[str, Any]]:
    body = {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": ["sms"]} | changes
    answer = api.post("/v1/notifications", body)
    assert answer.status_code == 202, answer.content
    told: list[dict[str, Any]] = answer.json()["recipients"]
    return told


def decisions(api: Shop, times: int, **changes: Any) -> list[str]:
    return [asked_for(api, **changes)[0]["decision"] for _ in range(times)]


def test_the_answer_and_the_timeline_say_which_cap_was_reached(api: Shop) -> None:
    assert decisions(api, 2) == ["send", "send"]

    (told,) = asked_for(api)

    assert (told["decision"], told["reason"]) == ("drop", "capped")
    assert "2 of 2 in 24 h, category Restock alerts by sms" in told["explanation"]
    timeline = api.get(f"/v1/deliveries/{told['deliveries'][0]}").json()["timeline"]
    assert "2 of 2 in 24 h" in timeline[-1]["detail"]


def test_a_dry_run_tells_and_takes_no_place(api: Shop) -> None:
    assert decisions(api, 5, dry_run=True) == ["send"] * 5
    assert decisions(api, 3) == ["send", "send", "drop"]
    assert decisions(api, 1, dry_run=True) == ["drop"]


def test_what_redis_forgot_is_counted_from_the_log(api: Shop, redis_client: redis.Redis) -> None:
    assert decisions(api, 1) == ["send"]
    redis_client.flushdb()
    assert decisions(api, 1) == ["send"]
    redis_client.flushdb()

    assert decisions(api, 2) == ["drop", "drop"]


def test_a_new_cap_counts_what_was_sent_before_it(api: Shop) -> None:
    assert decisions(api, 1) == ["send"]
    Cap.objects.create(category=None, channel="", most=1, hours=48)

    catalogue.forget()
    (told,) = asked_for(api)

    assert told["decision"] == "drop"
    assert "1 of 1 in 2 days, all categories" in told["explanation"]


@pytest.mark.usefixtures("without_redis")
def test_without_redis_the_log_is_counted(api: Shop) -> None:
    assert decisions(api, 3) == ["send", "send", "drop"]


def test_what_was_withdrawn_is_not_counted_from_the_log(api: Shop, redis_client: redis.Redis) -> None:
    decisions(api, 2)
    Delivery.objects.update(state="cancelled", reason="cancelled")
    redis_client.flushdb()

    assert decisions(api, 1) == ["send"]


def test_an_audience_is_counted_a_chunk_at_a_time_in_a_fixed_number_of_queries(
    api: Shop, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        Recipient.objects.create(external_id=f"many-{number}", phone=f"+82102000{number:04}", locale="ko")
    for _ in range(3):
        answer = api.post(
            "/v1/notifications",
            {"template": "restock", "audience": {"external_id_prefix": "many-"}, "data": DATA, "channels": ["sms"]},
        )
        assert answer.status_code == 202, answer.content
        with django_assert_max_num_queries(25):
            walk(clock=lambda: datetime.now(UTC))

    states = {
        str(one.pk): sorted(Delivery.objects.filter(notification=one).values_list("state", flat=True).distinct())
        for one in Notification.objects.order_by("id")
    }
    assert list(states.values()) == [["queued"], ["queued"], ["suppressed"]]


def test_counting_from_the_log_reads_no_table_from_end_to_end(api: Shop) -> None:
    decisions(api, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            f"EXPLAIN {capping._SINCE}",
            {"recipients": [Recipient.objects.get().pk], "planned_since": new_id(), "epoch": "1970-01-01 00:00:00+00"},
        )
        told = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")

    assert "recipient_id" in told
    assert "Seq Scan on notifications_delivery" not in told
