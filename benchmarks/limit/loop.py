"""One bare loop: what a campaign costs when nothing but the work itself is done."""

import json
import time
from dataclasses import dataclass
from io import BytesIO, StringIO
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final

import jwt
import psycopg2
import pycurl
import uuid_utils

_BATCH: Final = 500
_BODY: Final = (
    '{{"aps":{{"alert":{{"title":"재입고 알림","body":"안녕하세요, {user}님! {product}이 재입고되었습니다."}},'
    '"sound":"default"}}}}'
)
_NOTIFICATION: Final = "01900000-0000-7000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Task:
    """Where to send, as which of the loops, and how much."""

    about: dict[str, Any]
    number: int
    count: int


def work(task: Task, ready: Barrier, ended_at: "Queue[float]") -> None:
    """Send a batch to warm up; when all are ready `task.count` pushes; then tell when the last was recorded.

    The time is of the monotonic clock, which processes of one machine share.
    """
    connection = psycopg2.connect(task.about["database_url"])
    sender = _Sender(task.about)
    _send(connection, sender, task.number, _BATCH)  # opens connections, fills caches
    ready.wait(60)
    left = task.count
    while left:
        size = min(_BATCH, left)
        left -= size
        _send(connection, sender, task.number, size)
    ended_at.put(time.monotonic())


def _send(connection: Any, sender: "_Sender", number: int, size: int) -> None:
    ids = _write(connection, number, size)
    _record(connection, sender.send(_claim(connection, ids)))


def _write(connection: Any, number: int, size: int) -> list[str]:
    ids = [str(uuid_utils.uuid7()) for _ in range(size)]
    lines = "".join(
        f"{identifier}\t{_NOTIFICATION}\t{identifier}\tqueued\t{number * 10**9 + place:064x}\n"
        for place, identifier in enumerate(ids)
    )
    with connection, connection.cursor() as cursor:
        columns = "id, notification_id, recipient_id, state, token"
        cursor.copy_expert(f"COPY bare_delivery ({columns}) FROM STDIN", StringIO(lines))
    return ids


def _claim(connection: Any, ids: list[str]) -> list[tuple[str, str]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bare_delivery SET state = 'sending', attempt = attempt + 1 "
            "WHERE id = ANY(%s::uuid[]) AND state = 'queued' RETURNING id::text, token",
            ["{" + ",".join(ids) + "}"],
        )
        found: list[tuple[str, str]] = cursor.fetchall()
        return found


def _record(connection: Any, sent: list[tuple[str, str]]) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bare_delivery SET state = 'sent' WHERE id = ANY(%s::uuid[]) AND state = 'sending'",
            ["{" + ",".join(identifier for identifier, _ in sent) + "}"],
        )
        lines = "".join(f"{uuid_utils.uuid7()}\t{identifier}\tsent\t{ref}\n" for identifier, ref in sent)
        cursor.copy_expert("COPY bare_event (id, delivery_id, kind, ref) FROM STDIN", StringIO(lines))


class _Sender:
    """`CurlMulti` with a pool of handles, and nothing around it."""

    def __init__(self, about: dict[str, Any]) -> None:
        sandbox = about["sandbox"]
        apns = json.loads(Path(sandbox["credentials_file"]).read_text())["apns"]
        token = jwt.encode(
            {"iss": apns["team_id"], "iat": int(time.time())},
            apns["private_key"],
            algorithm="ES256",
            headers={"kid": apns["key_id"]},
        )
        self._endpoint = apns["endpoint"]
        self._headers = [
            f"authorization: bearer {token}",
            f"apns-topic: {apns['topic']}",
            "apns-push-type: alert",
            "apns-priority: 5",
            "content-type: application/json",
            "expect:",
        ]
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, 2)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 8)
        self._idle = [self._handle(sandbox["ca_file"]) for _ in range(_BATCH)]

    @staticmethod
    def _handle(ca_file: str) -> Any:
        easy = pycurl.Curl()
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PIPEWAIT, 1)
        easy.setopt(pycurl.CAINFO, ca_file)
        easy.setopt(pycurl.TIMEOUT, 30)
        return easy

    def send(self, claimed: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Send a batch; the id of each with what the provider called it."""
        flying = {}
        for identifier, token in claimed:
            easy = self._idle.pop()
            answer = BytesIO()
            easy.setopt(pycurl.URL, f"{self._endpoint}/3/device/{token}")
            easy.setopt(pycurl.HTTPHEADER, [*self._headers, f"apns-id: {identifier}"])
            easy.setopt(pycurl.POSTFIELDS, _BODY.format(user="지민", product="겨울 신발").encode())
            easy.setopt(pycurl.WRITEFUNCTION, answer.write)
            flying[easy] = identifier
            self._multi.add_handle(easy)
        sent = []
        while flying:
            self._multi.perform()
            more, done, failed = self._multi.info_read()
            for easy in done:
                if easy.getinfo(pycurl.RESPONSE_CODE) != 200:
                    raise RuntimeError(f"the provider answered {easy.getinfo(pycurl.RESPONSE_CODE)} to the bare loop")
                sent.append((flying.pop(easy), str(easy.getinfo(pycurl.RESPONSE_CODE))))
                self._multi.remove_handle(easy)
                self._idle.append(easy)
            if failed:
                raise RuntimeError(f"the bare loop's request failed: {failed[0][1:]}")
            if not done and not more:
                self._multi.select(0.05)
        return sent
