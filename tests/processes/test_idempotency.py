"""One idempotency key asked for two hundred times at once, of a real web server over real connections."""

import http.client
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlsplit

import pytest

from tests.processes.platform import Platform, platform

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

AT_ONCE = 200


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("idempotency"), WEB_THREADS="16") as started:
        yield started


def body(number: int = 0) -> dict[str, object]:
    return {
        "template": "restock",
        "recipients": [{"email": "guest@example.com"}],
        "data": {"user_name": "지민", "product_name": f"운동화 {number}"},
    }


def asked_at_once(running: Platform, key: str, bodies: list[dict[str, object]]) -> list[tuple[int, bytes]]:
    """Status and body of the answers to requests that leave at the same moment, each on a connection of its own."""
    barrier = Barrier(len(bodies))
    address = urlsplit(running.about["url"])
    token = b64encode(f"{running.about['key']}:{running.about['secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json", "Idempotency-Key": key}

    def ask(one: dict[str, object]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
        connection.connect()
        barrier.wait(timeout=60)
        connection.request("POST", "/v1/notifications", json.dumps(one).encode(), headers)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(ask, bodies))


def notifications_in(running: Platform) -> int:
    return int(running.rows("SELECT count(*) FROM notifications_notification")[0][0])


def test_identical_requests_make_one_notification_and_get_equal_answers(running: Platform) -> None:
    before = notifications_in(running)

    answers = asked_at_once(running, "order-1", [body()] * AT_ONCE)

    assert Counter(status for status, _ in answers) == {202: AT_ONCE}
    assert len({text for _, text in answers}) == 1
    assert notifications_in(running) == before + 1


def test_of_two_bodies_with_one_key_one_wins_and_the_other_is_refused_each_time(running: Platform) -> None:
    before = notifications_in(running)

    answers = asked_at_once(running, "order-2", [body(number % 2) for number in range(AT_ONCE)])

    accepted = [text for status, text in answers if status == 202]
    refused = [json.loads(text) for status, text in answers if status == 422]
    assert (len(accepted), len(refused)) == (AT_ONCE // 2, AT_ONCE // 2)
    assert len(set(accepted)) == 1
    assert {problem["status"] for problem in refused} == {422}
    assert notifications_in(running) == before + 1
