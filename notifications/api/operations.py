"""Seen from outside: is it alive, is it ready, and how much of everything happened."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby

from celery import current_app
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from notifications.breakers import opened
from notifications.clock import clock
from notifications.drifting import factors
from notifications.ledger import sweep
from notifications.ledger.replay import dead_letters
from notifications.meters import BUCKETS, readings
from notifications.models import ProviderAccount
from notifications.redis_client import client
from notifications.vocabulary import Lane, Queue


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Whether this process can do its work: 200, or 503 with the part that is missing."""
    return _readiness({"database": _database(), "migrations": _migrations(), "redis": _redis(), "broker": _broker()})


def _readiness(parts: Mapping[str, str]) -> HttpResponse:
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if ready else "not ready", "parts": parts}, status=200 if ready else 503)


@require_safe
def readyz_requests(_request: HttpRequest) -> HttpResponse:
    """Whether requests can be accepted: 200, or 503 with the part that is missing.

    Less than `readyz` asks for: without Redis, requests are accepted and sent later, so a balancer should go on.
    """
    return _readiness({"database": _database(), "migrations": _migrations()})


@require_safe
def metrics(_request: HttpRequest) -> HttpResponse:
    """Everything Prometheus wants to know, in its text format."""
    registry = CollectorRegistry()
    registry.register(Everything(clock.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Everything(Collector):
    """Depths from the ledger, counters from the meters that all processes share."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def collect(self) -> Iterator[Metric]:
        """The metric families, each with its help."""
        yield from _depths(self._at)
        yield _dead_letters()
        yield _breakers()
        yield _diverted()
        yield _weights()
        counted = readings()
        yield _counter("accepted", "Deliveries planned", ("channel",), counted)
        yield _counter("suppressed", "Recipients and channels that got nothing", ("channel", "reason"), counted)
        yield _counter("gathered", "Messages that went into digests", ("channel",), counted)
        for state, text in _STATES.items():
            yield _counter(state, text, ("queue", "account", "reason"), counted)
        yield _counter("receipts", "Receipts applied", ("channel", "kind"), counted)
        yield _counter("replies", "Keywords that people sent back", ("account", "wish"), counted)
        yield _counter("receipts_missed", "Deliveries of which no receipt ever came", ("queue",), counted)
        yield _counter("mass_deaths", "Batches in which most addresses were called dead", ("account",), counted)
        yield _counter("sightings", "Clicks and opens told by links and pictures", ("kind",), counted)
        yield _counter("sightings_lost", "Those that Redis could not take", (), counted)
        yield _counter("forged", "Webhook calls with a wrong signature", ("account",), counted)
        yield _latency(counted)


_STATES = {
    "sent": "Deliveries that a provider accepted",
    "failed": "Deliveries that will not arrive",
    "retrying": "Attempts that failed for a passing reason",
    "uncertain": "Attempts of which nobody knows whether they left",
    "expired": "Deliveries that were too late to be of use",
}

_Counted = dict[tuple[str, ...], int]


def _depths(at: datetime) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("bongsu_lane_depth", "Deliveries due and not in a worker's hands", labels=("lane",))
    age = GaugeMetricFamily("bongsu_lane_oldest_seconds", "Age of the oldest of them", labels=("lane",))
    found = {depth.lane: depth for depth in sweep.depths(at)}
    for lane in Lane:
        depth = found.get(lane)
        waiting.add_metric([lane], depth.waiting if depth else 0)
        age.add_metric([lane], (at - depth.oldest).total_seconds() if depth else 0)
    yield waiting
    yield age


def _dead_letters() -> Metric:
    family = GaugeMetricFamily("bongsu_dead_letters", "Deliveries whose attempts are used up", labels=("queue",))
    found = dead_letters()
    for queue in Queue:
        family.add_metric([queue], found.get(queue, 0))
    return family


def _breakers() -> Metric:
    family = GaugeMetricFamily("bongsu_breaker_open", "Accounts that are left alone", labels=("account",))
    for account in opened():
        family.add_metric([account], 1)
    return family


def _diverted() -> Metric:
    family = GaugeMetricFamily("bongsu_diverted", "Live accounts whose messages reach nobody", labels=("account",))
    for account in ProviderAccount.objects.diverted():
        family.add_metric([account.name], 1)
    return family


def _weights() -> Metric:
    text = "What an account's weight is multiplied by, where it errs or is slow"
    family = GaugeMetricFamily("bongsu_weight_factor", text, labels=("account",))
    for account, factor in factors().items():
        family.add_metric([account], factor)
    return family


def _counter(name: str, text: str, labels: tuple[str, ...], counted: _Counted) -> Metric:
    family = CounterMetricFamily(f"bongsu_{name}", text, labels=labels)
    for (found, *values), amount in sorted(counted.items()):
        if found == name:
            family.add_metric(values, amount)
    return family


def _latency(counted: _Counted) -> Metric:
    family = HistogramMetricFamily(
        "bongsu_provider_seconds", "How long providers took to answer", labels=("provider", "account")
    )
    rows = sorted(
        ((labels, bucket, amount) for (name, bucket, *labels), amount in counted.items() if name == "latency"),
        key=lambda row: row[0],
    )
    for labels, group in groupby(rows, key=lambda row: row[0]):
        by_bucket = {bucket: amount for _, bucket, amount in group}
        total, buckets = 0, []
        for bound in (*map(str, BUCKETS), "+Inf"):
            total += by_bucket.get(bound, 0)
            buckets.append((bound, total))
        family.add_metric(labels, buckets, counted.get(("latency_sum", *labels), 0) / 1_000_000)
    return family


def _database() -> str:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    return f"{len(pending)} to run: manage.py migrate" if pending else "ok"


def _redis() -> str:
    try:
        client().ping()
    except RedisError:
        return "does not answer"
    return "ok"


def _broker() -> str:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError):
        return "does not answer"
    return "ok"
