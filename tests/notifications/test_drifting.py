"""Weights drift away from an account that errs or is slow, in all workers, and come back; every change says why."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications import drifting, recovery
from notifications.breakers import breakers
from notifications.drifting import Answers, Change, changes, factors
from notifications.models import Delivery
from notifications.planning.drift import LEAST, PERIOD, bound_of
from notifications.routes import routes
from notifications.vocabulary import Lane
from tests.api.shop import shop
from tests.notifications.loglines import noted, written
from tests.notifications.road import accepted, dispatched
from tests.notifications.written import active, route
from tests.sandbox.world import Running

RIVALS = {"a": frozenset("b"), "b": frozenset("a")}
SMS_RIVALS = {"twilio-live": frozenset({"vonage-live"}), "vonage-live": frozenset({"twilio-live"})}


def answers(good: int, bad: int = 0, seconds: float = 0.1) -> Answers:
    return Answers(good, bad, Counter({bound_of(seconds): good + bad}))


def a_period_later(redis_client: redis.Redis, periods: int = 1) -> None:
    """As if so much time had passed: whoever comes next judges, and what was seen is forgotten."""
    redis_client.delete("drift:turn", *redis_client.keys("drift:[ab]:*"))
    judged = redis_client.get("drift:judged")
    if judged:
        redis_client.set("drift:judged", float(judged) - periods * PERIOD)


def redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where it should be."""
    away = redis.Redis(host="127.0.0.1", port=9, retry=Retry(NoBackoff(), retries=0))
    monkeypatch.setattr("notifications.drifting.client", lambda: away)


def told(*accounts: str) -> list[tuple[str, float, float]]:
    return [(change.account, change.before, change.after) for change in changes(accounts or RIVALS)]


def test_an_account_that_errs_loses_weight_for_every_worker() -> None:
    drifting.saw({"a": answers(10, 90), "b": answers(100)}, RIVALS)

    assert factors() == {"a": LEAST}


def test_and_so_does_one_that_is_slow_beside_its_peers() -> None:
    drifting.saw({"a": answers(100, seconds=3.0), "b": answers(100, seconds=0.1)}, RIVALS)

    assert 0 < factors()["a"] < 0.3
    (change,) = changes(["a"])
    assert change.why.startswith("95 % of its answers took up to")


def test_many_workers_see_one_account_and_one_of_them_judges(redis_client: redis.Redis) -> None:
    drifting.saw({"a": answers(100), "b": answers(100)}, RIVALS)
    a_period_later(redis_client)

    with ThreadPoolExecutor(8) as workers, written() as logs:
        list(workers.map(lambda _: drifting.saw({"a": answers(1, 9), "b": answers(10)}, RIVALS), range(40)))
        redis_client.delete("drift:turn")
        list(workers.map(lambda _: drifting.judge(RIVALS), range(8)))

    changed = noted(logs, "weight.changed")
    assert 1 <= len(changed) <= 2, "by whoever was first, and by the one of eight whose turn it was"
    assert changed[-1]["account"] == "a"
    slots = [redis_client.hgetall(key) for key in redis_client.keys("drift:a:*")]
    counted = [sum(int(slot.get(name, 0)) for slot in slots) for name in (b"good", b"bad")]
    assert counted == [40, 360], "no answer is lost"


def test_every_change_is_logged_with_its_reason_and_kept_for_the_admin() -> None:
    with written() as logs:
        drifting.saw({"a": answers(80, 20), "b": answers(100)}, RIVALS)

    (entry,) = noted(logs, "weight.changed")
    why = "20 of 100 answers in 30 s were failures"
    assert (entry["account"], entry["before"], entry["after"], entry["why"]) == ("a", 1.0, 0.4, why)
    (kept,) = changes(["a", "b"])
    assert kept == Change(kept.at, "a", 1.0, 0.4, why)
    assert abs((timezone.now() - kept.at).total_seconds()) < 60
    assert changes(["b"]) == []


def test_it_comes_back_step_by_step_also_where_nothing_is_sent(redis_client: redis.Redis) -> None:
    drifting.saw({"a": answers(0, 50), "b": answers(50)}, RIVALS)
    path = [factors()["a"]]
    while path[-1] < 1.0:
        a_period_later(redis_client)
        drifting.judge(RIVALS)
        path.append(factors().get("a", 1.0))

    assert path == pytest.approx([0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0])
    assert len(told("a")) == len(path), "each of them is told"
    assert factors() == {}


def test_within_a_period_nobody_judges_twice(redis_client: redis.Redis) -> None:
    drifting.saw({"a": answers(100), "b": answers(100)}, RIVALS)
    drifting.saw({"a": answers(0, 100), "b": answers(100)}, RIVALS)
    assert factors() == {}

    redis_client.delete("drift:turn")
    drifting.judge(RIVALS)

    assert "a" in factors()


def test_an_open_breaker_leaves_little_and_does_not_make_its_peers_slow() -> None:
    breakers.open("a", "it failed")

    drifting.saw({"a": answers(100, seconds=0.01), "b": answers(100, seconds=2.0)}, RIVALS)

    assert factors() == {"a": LEAST}
    assert told() == [("a", 1.0, LEAST)]


def test_who_stands_alone_by_now_has_all_of_its_weight_again(redis_client: redis.Redis) -> None:
    drifting.saw({"a": answers(0, 50), "b": answers(50)}, RIVALS)
    a_period_later(redis_client)

    drifting.judge({"c": frozenset("d"), "d": frozenset("c")})

    assert factors() == {}


def test_without_redis_weights_are_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    drifting.saw({"a": answers(0, 50), "b": answers(50)}, RIVALS)
    redis_is_away(monkeypatch)

    assert factors() == {}
    assert changes(["a"]) == []
    drifting.saw({"a": answers(0, 50), "b": answers(50)}, RIVALS)
    drifting.judge(RIVALS)


# --- on the road ----------------------------------------------------------------------------------------
@pytest.fixture
def shared(providers: Running) -> Running:
    """Twilio and Vonage share the text messages by halves."""
    active("vonage-live")
    route("sms", ("twilio-live", 1, 50), ("vonage-live", 1, 50))
    return providers


def texts(many: int) -> None:
    accepted("sms", by=shop(), recipients=[{"phone": f"+8210{number:08}"} for number in range(many)])


def sent_by() -> Counter[str]:
    return Counter(Delivery.objects.filter(state="sent").values_list("account", flat=True))


@pytest.mark.django_db
def test_what_an_account_answers_moves_what_it_gets(shared: Running) -> None:
    shared.admin("PUT", "faults/twilio", {"status": 503, "rate": 0.3})
    texts(200)
    dispatched(Lane.SMS)
    assert factors().keys() == {"twilio-live"}
    shared.admin("DELETE", "faults")
    before = sent_by()
    routes.forget()

    texts(200)
    dispatched(Lane.SMS)

    later = sent_by() - before
    assert later["twilio-live"] < 0.7 * later["vonage-live"]


@pytest.mark.django_db
def test_one_call_counts_a_portion_and_none_is_made_where_nobody_shares(
    providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(
        "notifications.heeding.drifting.saw", lambda seen, _rivals: calls.append(sum(one.good for one in seen.values()))
    )
    texts(100)
    dispatched(Lane.SMS)
    assert calls == []

    active("vonage-live")
    route("sms", ("twilio-live", 1, 50), ("vonage-live", 1, 50))
    texts(100)
    dispatched(Lane.SMS)

    assert sum(calls) == 100
    assert len(calls) <= 5


@pytest.mark.django_db
def test_the_sweep_brings_weights_back(shared: Running, redis_client: redis.Redis) -> None:
    drifting.saw({"twilio-live": answers(0, 50)}, SMS_RIVALS)
    redis_client.delete("drift:turn", *redis_client.keys("drift:twilio*"))
    redis_client.set("drift:judged", float(redis_client.get("drift:judged") or 0) - 100 * PERIOD)

    recovery.sweep_up(clock=timezone.now)

    assert factors() == {}


@pytest.mark.django_db
def test_without_redis_deliveries_go_as_they_were_to(shared: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    drifting.saw({"twilio-live": answers(0, 50)}, SMS_RIVALS)
    redis_is_away(monkeypatch)
    texts(200)

    dispatched(Lane.SMS)

    assert sent_by().total() == 200
    assert 60 <= sent_by()["twilio-live"] <= 140
