"""Providers call back as fast as they can: until every receipt stands in the log."""

import json
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks import charts, clients
from benchmarks.context import Bar, Context, Values
from benchmarks.stage import Stage, Void
from sandbox.keys import Keys
from sandbox.providers.sendgrid import SendGrid
from sandbox.providers.twilio import Twilio

#: Calls at once, as the sandbox and, by all accounts, the real ones make them.
_CLIENTS: Final = 16
#: Events in one of SendGrid's calls.
_BATCH: Final = 100
#: Of each email: delivered, and opened.
_EACH: Final = 2
#: Of all receipts, those that come one by one: a text message to five emails, as in the mixed day.
_SINGLE: Final = 6
#: Seconds within which the receipts of a run must be applied once the last call is answered.
_PATIENCE: Final = 120.0
_GLANCE: Final = 0.05

#: Receipts that are in the log by now, of deliveries above an id. What was only kept is not.
_APPLIED: Final = "SELECT count(*) FROM notifications_deliveryevent WHERE id > %s AND kind = ANY(%s)"


def run(context: Context) -> Values:
    """Batches of email events among single callbacks of text messages; then single ones alone."""
    total = context.sizes.receipts
    texts, emails = total // _SINGLE, (total - total // _SINGLE) // _EACH
    context.stage.sandbox("PUT", "settings", {"receipts": False})
    try:
        mixed = _measured(context, "receipts, mixed", emails, texts)
        charts.throughput(mixed, f"Receipts: {mixed[-1][1]:,}", context.charts / "receipts.svg")
        single = _measured(context, "receipts, one by one", 0, texts)
    finally:
        context.stage.sandbox("PUT", "settings", {"receipts": True})
    return {"receipts.per_s": _rate(mixed), "receipts.single_per_s": _rate(single)}


def _rate(series: Sequence[tuple[float, int]]) -> float:
    return series[-1][1] / (series[-1][0] - series[0][0])


def _measured(context: Context, text: str, emails: int, texts: int) -> list[tuple[float, int]]:
    """Send so much, then call back for all of it; (epoch seconds, applied) from the first call to the last receipt."""
    stage = context.stage
    since, sent = stage.now(), {"sms": _sent(context, "text-", "sms", "phone", texts)}
    if emails:
        sent["email"] = _sent(context, "letter-", "email", "email", emails)
    calls = list(_calls(stage, sent))
    expected = texts + _EACH * emails
    with context.bar(text, expected) as bar:
        began = time.time()
        clients.together(_CLIENTS, lambda number: _client(stage, calls[number::_CLIENTS]), lambda: None)
        series = [(began, 0), *_until_applied(stage, since, expected, bar)]
    _check(stage, since, expected, texts + emails)
    return series


def _sent(context: Context, prefix: str, channel: str, address: str, count: int) -> list[str]:
    """The ids of so many deliveries that a provider took."""
    context.bring_in(prefix, count, address=address)
    since = context.stage.now()
    context.send(prefix, channel, count, f"{count} by {channel}, to be told of")
    rows = context.stage.rows("SELECT id::text FROM notifications_delivery WHERE id > %s", since)
    return [delivery for (delivery,) in rows]


def _calls(stage: Stage, sent: Mapping[str, Sequence[str]]) -> Iterator[bytes]:
    """The calls as they go over the wire, signed just now; those for texts spread among those for emails."""
    keys = Keys.ensure(Path(stage.about["sandbox"]["credentials_file"]).with_name("keys.json"))
    host = urlsplit(stage.about["url"]).netloc
    twilio, sendgrid, at = Twilio(keys), SendGrid(keys), time.time()

    def wired(path: str, posts: Iterable[tuple[dict[str, str], bytes]]) -> Iterator[bytes]:
        for headers, body in posts:
            named = {**headers, "host": host, "content-length": str(len(body))}
            head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
            yield f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def texts() -> Iterator[bytes]:
        for delivery in sent["sms"]:
            path = f"/v1/webhooks/twilio-live/{delivery}"
            yield from wired(path, twilio.post(stage.about["url"] + path, [_status(keys, delivery)], at))

    def emails() -> Iterator[bytes]:
        events: list[Mapping[str, Any]] = [
            event for delivery in sent.get("email", ()) for event in _events(delivery, at)
        ]
        for first in range(0, len(events), _BATCH):
            yield from wired("/v1/webhooks/sendgrid-live", sendgrid.post("", events[first : first + _BATCH], at))

    singles, batches = list(texts()), list(emails())
    share = max(1, len(singles) // (len(batches) + 1))
    for number, call in enumerate(singles):
        yield call
        if batches and number % share == share - 1:
            yield batches.pop()
    yield from batches


def _status(keys: Keys, delivery: str) -> dict[str, Any]:
    sid = "SM" + delivery.replace("-", "")
    return {
        "MessageSid": sid, "SmsSid": sid, "AccountSid": keys.twilio_sid, "ApiVersion": "2010-04-01",
        "To": "+821012345678", "From": "+15005550006", "MessageStatus": "delivered", "SmsStatus": "delivered",
    }  # fmt: skip


def _events(delivery: str, at: float) -> Iterator[dict[str, Any]]:
    for kind in ("delivered", "open"):
        yield {
            "email": "somebody@example.com", "timestamp": int(at), "event": kind, "sg_event_id": uuid4().hex,
            "sg_message_id": f"{delivery}.recvd", "smtp-id": f"<{delivery}@example.com>", "response": "250 OK",
            "bongsu_delivery_id": delivery,
        }  # fmt: skip


def _client(stage: Stage, calls: Sequence[bytes]) -> None:
    """One connection; every call must be answered with 204. As little work as can be, for it shares the cores."""
    parts = urlsplit(stage.about["url"])
    with socket.create_connection((parts.hostname or "localhost", parts.port or 80), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for call in calls:
            connection.sendall(call)
            answer = b""
            while b"\r\n\r\n" not in answer:
                received = connection.recv(4096)
                if not received:
                    raise Void("the platform hung up on a provider that called back")
                answer += received
            if not answer.startswith(b"HTTP/1.1 204"):
                raise Void(f"a call was answered with {answer[:300]!r}")


def _until_applied(stage: Stage, since: str, expected: int, bar: Bar) -> Iterator[tuple[float, int]]:
    deadline = time.monotonic() + _PATIENCE
    while True:
        ((waiting,),) = stage.rows("SELECT count(*) FROM notifications_pendingreceipt")
        at = time.time()
        bar.at(expected - waiting)
        if not waiting:
            yield at, expected
            return
        yield at, expected - waiting
        if time.monotonic() > deadline:
            raise Void(f"{waiting} receipts were not applied in time")
        time.sleep(_GLANCE)


def _check(stage: Stage, since: str, expected: int, deliveries: int) -> None:
    """Raise `Void` unless every receipt stands in the log once, and all deliveries count as delivered."""
    ((applied,),) = stage.rows(_APPLIED, since, ["delivered", "opened"])
    states = dict(stage.rows("SELECT state, count(*) FROM notifications_delivery WHERE id > %s GROUP BY state", since))
    if applied != expected or states != {"delivered": deliveries}:
        raise Void(f"{applied} of {expected} receipts stand in the log, and the deliveries are {json.dumps(states)}")
