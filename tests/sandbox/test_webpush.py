"""The sandbox's push service refuses what the RFCs and Mozilla refuse, and its browser reads what was meant for it."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    ContentBad,
    CredentialBad,
    Message,
    Outcome,
    Response,
    Throttled,
    Transient,
)
from notifications.providers.webpush.send import WebPush
from notifications.vocabulary import Urgency
from templates_app.content import PushText
from tests.providers.examples import AT, message, pem
from tests.sandbox.world import Ask, Running, Said

FOREIGN_KEY = pem(ec.generate_private_key(ec.SECP256R1()))


def refused(said: Said) -> tuple[int, int]:
    """The status and Mozilla's number."""
    body = said.json()
    assert body["code"] == said.status
    return said.status, body["errno"]


# --- subscriptions -----------------------------------------------------------------------------------
def test_a_browser_subscribes_and_always_has_the_same_subscription(sandbox: Running) -> None:
    mine, again, other = (sandbox.subscription(name) for name in ("jimin", "jimin", "minsu"))
    assert mine == again
    assert mine["endpoint"] == f"{sandbox.url}/webpush/push/jimin"
    assert mine["keys"] != other["keys"]
    assert {name: len(text) for name, text in mine["keys"].items()} == {"p256dh": 87, "auth": 22}


@pytest.mark.parametrize("name", ["", "a b", "a%20b", "x" * 101])
def test_not_everything_is_a_name(sandbox: Running, name: str) -> None:
    assert sandbox.admin("GET", f"subscriptions/{name.replace(' ', '%20')}").status == 422


# --- what is taken -----------------------------------------------------------------------------------
def test_a_good_message_is_taken_and_gets_an_address_of_its_own(sandbox: Running) -> None:
    said = sandbox.send(sandbox.webpush())
    assert (said.status, said.body, said.headers["ttl"]) == (201, b"", "60")
    assert said.headers["location"].startswith(f"{sandbox.url}/webpush/m/")


def test_the_record_knows_the_delivery_and_what_its_reader_read(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    sandbox.send(sandbox.webpush(delivery_id))
    row = sandbox.row(delivery_id)
    assert (row["provider"], row["accepted"]) == ("webpush", 1)
    [attempt] = row["attempts"]
    assert attempt["address"] == "jimin"
    assert json.loads(attempt["body"]) == {"title": "재입고", "body": "안녕하세요", "delivery_id": delivery_id}


def test_a_refused_message_is_known_too(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    sandbox.send(sandbox.webpush(delivery_id).with_headers(ttl=None))
    assert sandbox.row(delivery_id)["refusals"] == {"400 errno 111": 1}


@pytest.mark.parametrize("said", [b"\xff\xfe", b"hello", b"[" * 1000, ["a"], {"delivery_id": 7, "title": 1}])
def test_what_no_service_worker_could_show_is_taken_and_shown_as_it_is(sandbox: Running, said: object) -> None:
    assert sandbox.send(sandbox.webpush(said=said)).status == 201
    assert sandbox.admin("GET", "counts").json()["providers"]["webpush"]["without_id"] == 1
    [shown] = sandbox.send(Ask(f"{sandbox.url}/inbox/messages", method="GET")).json()["messages"]
    assert shown["kind"] == "desktop"


# --- what is refused ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({"ttl": None}, (400, 111)),
        ({"ttl": "soon"}, (400, 112)),
        ({"ttl": "-1"}, (400, 112)),
        ({"ttl": "2592001"}, (400, 112)),
        ({"topic": "k" * 33}, (400, 113)),
        ({"topic": "a/b"}, (400, 113)),
        ({"urgency": "panic"}, (400, 111)),
        ({"content_encoding": None}, (400, 111)),
        ({"content_encoding": "gzip"}, (400, 110)),
        ({"authorization": None}, (401, 109)),
        ({"authorization": "Bearer abc"}, (401, 109)),
        ({"authorization": "vapid t=abc"}, (401, 109)),
        ({"authorization": "vapid t=abc, k=def"}, (401, 109)),
        ({"authorization": "vapid t=abc, t=abc"}, (401, 109)),
    ],
)
def test_headers_are_checked(sandbox: Running, headers: dict[str, str | None], answer: tuple[int, int]) -> None:
    assert refused(sandbox.send(sandbox.webpush().with_headers(**headers))) == answer


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"aud": "https://push.example.net"}, (401, 109)),
        ({"aud": None}, (401, 109)),
        ({"exp": 1_700_000_000}, (401, 109)),
        ({"exp": int(time.time()) + 90_000}, (401, 109)),
        ({"exp": None}, (401, 109)),
        ({"exp": "tomorrow"}, (401, 109)),
        ({"sub": None}, (401, 109)),
        ({"sub": "push@example.com"}, (401, 109)),
        ({"key": FOREIGN_KEY}, (403, 109)),
    ],
)
def test_a_token_must_be_for_this_service_fresh_and_of_the_subscriptions_key(
    sandbox: Running, changes: dict[str, Any], answer: tuple[int, int]
) -> None:
    ask = sandbox.webpush().with_headers(authorization=sandbox.vapid(**changes))
    assert refused(sandbox.send(ask)) == answer


def test_a_token_that_another_key_signed_is_not_believed(sandbox: Running) -> None:
    token, key = sandbox.vapid(key=FOREIGN_KEY).split(", ")[0], sandbox.vapid().split(", ")[1]
    ask = sandbox.webpush().with_headers(authorization=f"{token}, {key}")
    assert refused(sandbox.send(ask)) == (401, 109)


def test_t_and_k_come_in_any_order(sandbox: Running) -> None:
    token, key = sandbox.vapid().removeprefix("vapid ").split(", ")
    assert sandbox.send(sandbox.webpush().with_headers(authorization=f"VAPID {key},{token}")).status == 201


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", (400, 110)),
        (b"x", (400, 110)),
        (b"{" * 200, (400, 110)),
        (b"\0" * 16 + b"\0\0\x10\0\x41" + b"\x04" * 65 + b"x" * 40, (400, 110)),
        (b"x" * 4097, (413, 104)),
    ],
)
def test_a_body_must_be_one_that_the_browser_reads(sandbox: Running, body: bytes, answer: tuple[int, int]) -> None:
    assert refused(sandbox.send(sandbox.webpush().but(body=body))) == answer


def test_what_was_encrypted_to_somebody_else_is_not_read(sandbox: Running) -> None:
    theirs = sandbox.webpush(browser="minsu").body
    assert refused(sandbox.send(sandbox.webpush(browser="jimin").but(body=theirs))) == (400, 110)


@pytest.mark.parametrize(("length", "status"), [(3993, 201), (3994, 413)])
def test_4096_bytes_are_taken(sandbox: Running, length: int, status: int) -> None:
    subscription = sandbox.webpush(said=b"x" * length)
    assert len(subscription.body) == length + 103
    assert sandbox.send(subscription).status == status


@pytest.mark.parametrize(
    ("path", "method", "answer"),
    [
        ("push/", "POST", (404, 102)),
        ("push/a/b", "POST", (404, 102)),
        ("elsewhere", "POST", (404, 102)),
        ("push/a", "PUT", (405, 999)),
    ],
)
def test_other_addresses_are_nobodys(sandbox: Running, path: str, method: str, answer: tuple[int, int]) -> None:
    ask = sandbox.webpush().but(url=f"{sandbox.url}/webpush/{path}", method=method)
    assert refused(sandbox.send(ask)) == answer


# --- our adapter against it --------------------------------------------------------------------------
def sent(sandbox: Running, browser: str, **changes: Any) -> Outcome:
    """What becomes of a message that the platform's adapter composes."""
    ours = sandbox.credentials["webpush"]
    account = Account("browsers", ours["endpoint"], ours, ours)
    now = Message(
        **{**_fields(message(PushText("재입고", "안녕"), json.dumps(sandbox.subscription(browser)))), **changes}
    )
    request = WebPush().compose(now, account, None)
    said = sandbox.send(Ask(request.url, request.headers, request.body))
    return WebPush().interpret(Response(said.status, said.headers, said.body))


def _fields(one: Message) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    return {**fields, "at": AT.fromtimestamp(time.time(), tz=AT.tzinfo)}


@pytest.mark.parametrize("urgency", Urgency)
def test_what_we_compose_is_taken_and_read(sandbox: Running, urgency: Urgency) -> None:
    delivery_id = uuid4()
    text = PushText("재입고", "안녕", image="https://x/i.png", link="https://x/1", collapse_key="재입고 1")
    outcome = sent(sandbox, "jimin", delivery_id=delivery_id, text=text, urgency=urgency, data={"a": "1"})
    assert isinstance(outcome, Accepted)
    assert outcome.provider_ref.startswith(sandbox.url)
    [attempt] = sandbox.row(str(delivery_id))["attempts"]
    assert json.loads(attempt["body"])["data"] == {"a": "1"}


@pytest.mark.parametrize(
    ("browser", "outcome"),
    [
        ("unknown-1", AddressDead),
        ("expired-1", AddressDead),
        ("gone-1", AddressDead),
        ("large-1", ContentBad),
        ("mismatch-1", CredentialBad),
        ("keys-1", ContentBad),
        ("busy-1", Throttled),
        ("error-1", Transient),
        ("unavailable-1", Transient),
        ("jimin", Accepted),
    ],
)
def test_a_subscription_with_a_fate_meets_it(sandbox: Running, browser: str, outcome: type) -> None:
    found = sent(sandbox, browser)
    assert isinstance(found, outcome)
    if browser in ("busy-1", "unavailable-1"):
        assert isinstance(found, Throttled | Transient)
        assert found.retry_after in (30, 10)
