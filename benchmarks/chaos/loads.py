"""What a platform is busy with while a fault strikes: started, and joined when the fault is over."""

import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.stage import Stage, Void

#: Starts the load for so many people; what it returns waits until everything is accepted.
Load = Callable[[Stage, int], Callable[[], None]]

#: How the external ids begin of people with a device, a phone, an email address.
PUSHES: Final = "chaos-"
TEXTS: Final = "texts-"
MAILS: Final = "mails-"
#: So many people with a phone, and with an email address, for each with a device.
SHARE: Final = 0.5
#: How often each of them is reached where a load must last.
ROUNDS: Final = 3

#: The push services that have front doors.
DOORS: Final = ("apns", "fcm")
#: Seconds within which every worker knows of a changed account.
_NOTICED: Final = 6.0

_CLIENTS: Final = 8
#: Recipients of a POST: small ones, so that there are many for a fault to hit.
_TOGETHER: Final = 20
#: Seconds within which a POST must have been answered, repeats included.
_PATIENCE: Final = 60.0


def campaign(stage: Stage, _size: int) -> Callable[[], None]:
    """One notification to everybody, accepted before the fault strikes."""
    stage.campaign(PUSHES, "push")
    return lambda: None


def texts(stage: Stage, _size: int) -> Callable[[], None]:
    """A text message to each of those who have a phone: its provider tells what became of it."""
    stage.campaign(TEXTS, "sms")
    return lambda: None


def everything(stage: Stage, _size: int) -> Callable[[], None]:
    """Push, text message and email campaigns at once, so many of them that no queue runs dry."""
    for _ in range(ROUNDS):
        for prefix, channel in ((PUSHES, "push"), (TEXTS, "sms"), (MAILS, "email")):
            stage.campaign(prefix, channel)
    return lambda: None


def through_doors(stage: Stage, size: int) -> Callable[[], None]:
    """A campaign to the front doors of the push services, which can be told to go away."""
    accounts = stage.rows(_PUSH_ACCOUNTS)
    doors = stage.about["sandbox"]["doors"]
    for name, endpoint in accounts:
        _set_endpoint(stage, name, doors[name.partition("-")[0]] + urlsplit(endpoint).path)
    time.sleep(_NOTICED)
    accepted = campaign(stage, size)

    def join() -> None:
        accepted()
        for name, endpoint in accounts:
            _set_endpoint(stage, name, endpoint)

    return join


_PUSH_ACCOUNTS: Final = """
    SELECT name, endpoint FROM notifications_provideraccount WHERE name IN ('apns-live', 'fcm-live')
"""


def _set_endpoint(stage: Stage, account: str, endpoint: str) -> None:
    stage.rows("UPDATE notifications_provideraccount SET endpoint = %s WHERE name = %s", endpoint, account)


def posts(stage: Stage, size: int) -> Callable[[], None]:
    """A POST for every twenty people, by clients that repeat one without an answer, under the same idempotency key."""
    pool = ThreadPoolExecutor(_CLIENTS)
    asked: list[Future[None]] = [
        pool.submit(_accepted, stage, range(first, min(first + _TOGETHER, size))) for first in range(0, size, _TOGETHER)
    ]

    def join() -> None:
        for one in asked:
            one.result()
        pool.shutdown()

    return join


def _accepted(stage: Stage, people: range) -> None:
    """One request, again and again until it is answered with 202."""
    body = {
        "template": "restock",
        "recipients": [f"{PUSHES}{number:07}" for number in people],
        "data": {"user_name": "지민", "product_name": "겨울 신발"},
        "channels": ["push"],
        "urgency": "bulk",
    }
    key, until = str(uuid4()), time.monotonic() + _PATIENCE
    while (status := _asked(stage, body, key)) != 202:
        if status is not None and status < 500:
            raise Void(f"a POST was refused: {status}")
        if time.monotonic() > until:
            raise Void(f"a POST was not answered within {_PATIENCE:.0f} s")
        time.sleep(0.1)


def _asked(stage: Stage, body: object, key: str) -> int | None:
    """The status of the answer; None where none came."""
    connection = stage.connection()
    try:
        connection.request(
            "POST", "/v1/notifications", json.dumps(body).encode(), stage.headers | {"Idempotency-Key": key}
        )
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return None
    else:
        return answer.status
    finally:
        connection.close()
