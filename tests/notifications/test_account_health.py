"""How accounts did of late: noted by whoever records answers, read by whoever looks at the page."""

import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.urls import reverse
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway

from notifications import account_health, buckets
from notifications.account_health import Health, Portion
from notifications.account_report import reports
from notifications.breakers import breakers
from notifications.buckets import Limits, Unit
from notifications.models import ProviderAccount
from notifications.routes import routes
from notifications.vocabulary import Lane, Urgency
from tests.api.shop import jimin
from tests.builders import administrator, shown
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running


def health(account: str = "a") -> Health:
    return account_health.of([account])[account]


def test_of_an_account_without_traffic_nothing_is_known() -> None:
    assert health() == Health()
    assert health().success is None
    assert account_health.of([]) == {}


def test_answers_add_up_over_the_last_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.time()
    for minute in range(account_health.WINDOW + 3):
        monkeypatch.setattr("time.time", lambda minute=minute: began + 60 * minute)
        account_health.saw("a", Portion(good=8, bad=2, throttled=1))

    assert (health().good, health().bad, health().throttled) == (40, 10, 5)
    assert health().success == 0.8
    assert health().answers == 55


def test_latencies_are_told_as_bounds() -> None:
    account_health.saw("a", Portion(good=100, bad=0, seconds=[0.03] * 90 + [0.7] * 5 + [30.0] * 5))
    assert (health().usual, health().slow) == (0.05, 1.0)
    account_health.saw("b", Portion(good=2, bad=0, seconds=[0.03, 30.0]))
    assert health("b").slow == float("inf")


def test_the_latest_trouble_is_kept() -> None:
    account_health.saw("a", Portion(good=0, bad=1, trouble="first"))
    account_health.saw("a", Portion(good=0, bad=1, trouble="second"))
    account_health.saw("a", Portion(good=1, bad=0))
    assert health().trouble == "second"
    assert abs(health().trouble_at - time.time()) < 5


def test_accounts_are_told_apart() -> None:
    account_health.saw("a", Portion(good=1, bad=0))
    account_health.saw("b", Portion(good=0, bad=1))
    found = account_health.of(["a", "b"])
    assert (found["a"].success, found["b"].success) == (1.0, 0.0)


def test_nothing_stays_for_ever(redis_client: Redis) -> None:
    account_health.saw("a", Portion(good=1, bad=1, trouble="x"))
    health()
    assert all(redis_client.ttl(key) > 0 for key in redis_client.scan_iter("health:*"))
    assert all(redis_client.ttl(key) > 0 for key in redis_client.scan_iter("trouble:*"))


def test_it_is_written_once_for_many_portions(asked_of_redis: Counter[str]) -> None:
    for _ in range(100):
        account_health.saw("a", Portion(good=250, bad=0, seconds=[0.1] * 250))
    health()
    assert 0 < asked_of_redis["hincrby"] <= 4
    assert health().good == 25_000


@pytest.mark.django_db
def test_what_was_sent_is_seen_on_the_page(providers: Running) -> None:
    jimin()
    for _ in range(3):
        accepted("sms")
    dispatched(Lane.SMS)

    found = health("twilio-live")
    assert (found.good, found.bad) == (3, 0)
    assert found.usual is not None
    page = shown(administrator().get(reverse("admin:notifications_provideraccount_changelist")))
    assert "100 % of 3 good" in page
    assert page.count("no traffic") == ProviderAccount.objects.count() - 1


@pytest.mark.django_db
def test_what_went_wrong_is_told_in_our_words(providers: Running) -> None:
    jimin()
    providers.admin("PUT", "faults/twilio", {"status": 429, "reason": "20429"})
    accepted("sms")
    dispatched(Lane.SMS)

    found = health("twilio-live")
    assert (found.throttled, found.success) == (1, None)
    assert found.trouble == "20429: too many requests"


@pytest.mark.django_db
def test_an_open_breaker_and_its_reason_are_seen(providers: Running) -> None:
    breakers.open("twilio-live", "20 of 30 answers in 10 s were failures")
    account = ProviderAccount.objects.get(name="twilio-live")
    report = reports([account])["twilio-live"]
    assert report.breaker is not None
    assert 0 < report.breaker.rest <= 5
    page = shown(administrator().get(reverse("admin:notifications_provideraccount_change", args=[account.pk])))
    assert "breaker open" in page
    assert "20 of 30 answers" in page


def test_a_bucket_is_as_full_as_what_was_taken() -> None:
    limits = Limits(messages=100.0)
    assert buckets.fill("a", limits) == {Unit.MESSAGES: 0.0}
    buckets.take("a", Unit.MESSAGES, 50, 100.0, Urgency.CRITICAL)
    assert 0.4 < buckets.fill("a", limits)[Unit.MESSAGES] <= 0.5
    buckets.take("a", Unit.MESSAGES, 500, 100.0, Urgency.CRITICAL)
    assert 0.9 < buckets.fill("a", limits)[Unit.MESSAGES] <= 1.0
    assert buckets.fill("a", Limits()) == {}


def test_a_bucket_that_takes_one_in_two_seconds_is_half_empty_after_one() -> None:
    limits = Limits(segments=0.5)
    buckets.take("a", Unit.SEGMENTS, 1, 0.5, Urgency.CRITICAL)
    time.sleep(1)
    assert 0.3 < buckets.fill("a", limits)[Unit.SEGMENTS] < 0.6


@pytest.mark.django_db
def test_a_full_bucket_is_seen(providers: Running) -> None:
    ProviderAccount.objects.filter(name="twilio-live").update(messages_per_s=0.5)
    routes.forget()
    jimin()
    accepted("sms")
    dispatched(Lane.SMS)
    page = shown(administrator().get(reverse("admin:notifications_provideraccount_changelist")))
    assert "bucket of messages" in page


@pytest.mark.django_db
def test_without_redis_the_page_opens_and_says_so(providers: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_names: object) -> Callable[[], None]:
        raise RedisAway

    monkeypatch.setattr(account_health, "of", away)
    page = shown(administrator().get(reverse("admin:notifications_provideraccount_changelist")))
    assert "Redis does not answer" in page
