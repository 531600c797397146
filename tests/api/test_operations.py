"""What an operator sees from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from notifications import drifting
from notifications.drifting import Answers
from notifications.ledger.claim import claim
from notifications.ledger.record import Letter, Result, record
from notifications.meters import metered
from notifications.planning.retry import Step
from notifications.redis_client import client
from notifications.vocabulary import DeliveryState, Lane, Reason
from tests.api.shop import DATA, jimin, opted_out, shop
from tests.notifications.logbook import LEASE

NOWHERE = "redis://127.0.0.1:9/0"


def ready() -> tuple[int, dict[str, str]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()["parts"]


def test_the_process_is_alive_whatever_else_is_not() -> None:
    answer = Client().get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_with_all_parts_there_it_is_ready() -> None:
    assert ready() == (200, dict.fromkeys(("database", "migrations", "redis", "broker"), "ok"))


@pytest.mark.django_db
def test_without_redis_it_is_not_ready(settings: Settings) -> None:
    settings.REDIS_URL = NOWHERE
    client.cache_clear()
    try:
        status, parts = ready()
    finally:
        client.cache_clear()

    assert (status, parts["redis"], parts["database"]) == (503, "does not answer", "ok")


@pytest.mark.django_db
def test_without_redis_it_still_accepts_requests(settings: Settings) -> None:
    settings.REDIS_URL = NOWHERE
    client.cache_clear()
    try:
        answer = Client().get("/readyz/requests")
    finally:
        client.cache_clear()

    assert (answer.status_code, answer.json()["parts"]) == (200, {"database": "ok", "migrations": "ok"})


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_accepts_no_requests() -> None:
    with database_gone():
        answer = Client().get("/readyz/requests")

    assert (answer.status_code, answer.json()["parts"]["database"]) == (503, "does not answer")


@pytest.mark.django_db
def test_without_a_broker_it_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", NOWHERE)

    status, parts = ready()

    assert (status, parts["broker"], parts["redis"]) == (503, "does not answer", "ok")


@pytest.mark.django_db
def test_before_its_migrations_it_is_not_ready() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'notifications'")

    status, parts = ready()

    assert status == 503
    assert parts["migrations"].endswith("to run: manage.py migrate")


@contextmanager
def database_gone() -> Iterator[None]:
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["HOST"] = host


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_is_not_ready_and_says_so() -> None:
    with database_gone():
        status, parts = ready()

    assert (status, parts["database"], parts["migrations"], parts["redis"]) == (
        503, "does not answer", "unknown", "ok",
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_api_answers_503_and_when_to_come_again() -> None:
    caller = shop()
    with database_gone():
        answer = caller.post("/v1/notifications", {})

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"] == "application/problem+json"


# --- metrics -------------------------------------------------------------------------------------------
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read() -> Samples:
    """Everything that Prometheus would read: by name and labels."""
    page = Client().get("/metrics")
    assert page.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.content.decode())
        for sample in family.samples
    }


def since(before: Samples, name: str, **labels: str) -> float:
    key = (f"bongsu_{name}", frozenset(labels.items()))
    return read().get(key, 0) - before.get(key, 0)


@pytest.mark.django_db
def test_every_lane_has_a_depth_and_an_age_also_when_nothing_waits() -> None:
    found = read()

    for name in ("lane_depth", "lane_oldest_seconds"):
        lanes = {dict(labels)["lane"] for metric, labels in found if metric == f"bongsu_{name}"}
        assert lanes == set(Lane)


@pytest.mark.django_db
def test_what_waits_is_counted_by_lane_with_the_age_of_the_oldest() -> None:
    jimin()
    shop().post("/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA, "urgency": "bulk"})

    found = read()

    assert found["bongsu_lane_depth", frozenset({("lane", "sms.bulk")})] == 1
    assert found["bongsu_lane_oldest_seconds", frozenset({("lane", "sms.bulk")})] > 0
    assert found["bongsu_lane_depth", frozenset({("lane", "sms")})] == 0


@pytest.mark.django_db
def test_what_is_accepted_and_what_is_suppressed_is_counted_by_channel() -> None:
    caller, before = shop(), read()
    opted_out(jimin(), caller.category, "email")

    caller.post("/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA})

    assert since(before, "accepted_total", channel="push") == 2
    assert since(before, "accepted_total", channel="sms") == 1
    assert since(before, "suppressed_total", channel="email", reason="opted_out") == 1


@pytest.mark.django_db
def test_a_refused_request_counts_nothing() -> None:
    caller, before = shop(), read()

    caller.post("/v1/notifications", {"template": "restock", "recipients": ["nobody"], "data": DATA})

    assert {key for key, value in read().items() if "total" in key[0] and value != before.get(key, 0)} == set()


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["sent", "failed", "retrying", "uncertain", "expired"])
def test_turnouts_are_counted_by_queue_account_and_reason(state: str) -> None:
    before = read()

    with metered() as meters:
        meters.count(state, "sms", "twilio-live", "throttled", by=3)

    assert since(before, f"{state}_total", queue="sms", account="twilio-live", reason="throttled") == 3


@pytest.mark.django_db
def test_a_providers_latency_is_a_histogram() -> None:
    before = read()

    with metered() as meters:
        for seconds in (0.004, 0.03, 0.03, 7.5, 60.0):
            meters.took(seconds, "twilio", "t1")

    def bucket(le: str) -> float:
        return since(before, "provider_seconds_bucket", provider="twilio", account="t1", le=le)

    assert [bucket(le) for le in ("0.01", "0.025", "0.05", "5.0", "10.0", "+Inf")] == [1, 1, 3, 3, 4, 5]
    assert since(before, "provider_seconds_count", provider="twilio", account="t1") == 5
    assert since(before, "provider_seconds_sum", provider="twilio", account="t1") == pytest.approx(67.564)


@pytest.mark.django_db
def test_dead_letters_are_counted_by_queue() -> None:
    jimin()
    shop().post("/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA})
    at = timezone.now()
    held = claim(Lane.SMS, at=at, lease_for=LEASE)
    assert held is not None
    exhausted = Step(DeliveryState.FAILED, Reason.ATTEMPTS_EXHAUSTED)
    record(
        [
            Result(one.id, one.attempt, exhausted, at, letter=Letter(one.notification_id, one.queue))
            for one in held.deliveries
        ],
        held.lease.lane,
    )

    assert read()["bongsu_dead_letters", frozenset({("queue", "sms")})] == 1


@pytest.mark.django_db
def test_a_weight_that_drifted_away_is_told() -> None:
    rivals = {"twilio-live": frozenset({"vonage-live"}), "vonage-live": frozenset({"twilio-live"})}
    drifting.saw({"twilio-live": Answers(80, 20)}, rivals)

    assert read()["bongsu_weight_factor", frozenset({("account", "twilio-live")})] == 0.4


@pytest.mark.django_db
def test_metrics_are_told_without_the_counters_while_redis_does_not_answer(settings: Settings) -> None:
    settings.REDIS_URL = NOWHERE
    client.cache_clear()
    try:
        found = read()
    finally:
        client.cache_clear()

    assert ("bongsu_lane_depth", frozenset({("lane", "sms")})) in found


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/readyz/requests", "/metrics"])
def test_these_pages_are_for_reading(path: str) -> None:
    answer: Any = Client().post(path)

    assert answer.status_code == 405
