"""People follow the links of emails, as many at once as can be: every click is led on, and stands in the log."""

import json
import re
import socket
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit
from urllib.request import urlopen

from benchmarks import clients
from benchmarks.context import Bar, Context, Values
from benchmarks.stage import Stage, Void

#: Connections, each of which has one click under way.
_CLIENTS: Final = 16
#: Emails whose links are followed, over and over; the inbox tells of so many at a time.
_EMAILS: Final = 200
_SHOP: Final = "https://shop.example.com/products/12345?utm_source=newsletter&utm_medium=email&utm_campaign=restock"
_BROWSER: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
#: Who is quicker than this after an email was sent is held to be a machine.
_PEOPLE_TAKE: Final = 2.5
#: Seconds within which every click must be in the log once the last is answered.
_PATIENCE: Final = 60.0


def run(context: Context) -> Values:
    """Clicks a second with as many clients as keep the platform busy."""
    stage, seconds = context.stage, context.sizes.single_seconds
    since = stage.now()
    clicks = _clicks(context, since)
    led = [0] * _CLIENTS
    ends_at = time.monotonic() + seconds
    with context.bar("following links", 0) as bar:
        clients.together(
            _CLIENTS,
            lambda number: _client(stage, clicks[number:] + clicks[:number], ends_at, led, number),
            lambda: _show(bar, led),
        )
    _check(stage, since)
    return {"redirects.per_s": sum(led) / seconds}


def _show(bar: Bar, led: Sequence[int]) -> None:
    bar.at(sum(led))


def _clicks(context: Context, since: str) -> list[bytes]:
    """A request for the link of each email, which were sent a while ago."""
    stage = context.stage
    context.bring_in("reader-", _EMAILS, address="email")
    stage.begin()
    stage.post(
        {
            "template": "restock",
            "audience": {"external_id_prefix": "reader-"},
            "data": {"user_name": "지민", "product_name": "겨울 신발", "product_url": _SHOP},
            "channels": ["email"],
            "urgency": "bulk",
        }
    )
    stage.until_done(_EMAILS, since)
    stage.check(since, _EMAILS)
    time.sleep(_PEOPLE_TAKE)
    with urlopen(f"{stage.about['sandbox']['inbox_url']}/messages", timeout=30) as answer:
        mails = [one["html"] for one in json.load(answer)["messages"]]
    found = [re.findall(r'href="(http://[^/"]+)(/c/[\w-]+)"', html) for html in mails]
    links = [path for one in found for _, path in one]
    if len(links) < _EMAILS:
        raise Void(f"{len(links)} links were found in {len(mails)} emails")
    host = urlsplit(stage.about["url"]).netloc
    return [f"GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: {_BROWSER}\r\n\r\n".encode() for path in links]


def _client(stage: Stage, clicks: Sequence[bytes], ends_at: float, led: list[int], number: int) -> None:
    """One connection; every click must be led to the shop. As little work as can be, for it shares the cores."""
    parts = urlsplit(stage.about["url"])
    led_on = f"location: {_SHOP}\r\n".encode()
    with socket.create_connection((parts.hostname or "localhost", parts.port or 80), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            for click in clicks:
                connection.sendall(click)
                answer = connection.recv(4096)
                while not answer.endswith(b"\r\n\r\n"):
                    received = connection.recv(4096)
                    if not received:
                        raise Void("the platform hung up on somebody who followed a link")
                    answer += received
                if not answer.startswith(b"HTTP/1.1 302") or led_on not in answer:
                    raise Void(f"a click was answered with {answer[:300]!r}")
                led[number] += 1
                if time.monotonic() > ends_at:
                    return


def _check(stage: Stage, since: str) -> None:
    """Raise `Void` unless the log tells of a click on every email, and of no machine."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        told = dict(
            stage.rows(
                "SELECT kind, count(DISTINCT delivery_id) FROM notifications_deliveryevent"
                " WHERE id > %s AND (kind = 'clicked' OR detail LIKE 'machine:%%') GROUP BY kind",
                since,
            )
        )
        if told == {"clicked": _EMAILS}:
            return
        if time.monotonic() > deadline:
            raise Void(f"the log tells of {json.dumps(told)} where {_EMAILS} emails had their link followed")
        time.sleep(0.2)
