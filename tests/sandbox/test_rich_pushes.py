"""What a push says besides its words, through each adapter to its simulator, which looks at every field."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from notifications.providers import registry
from notifications.providers.contract import Accepted, Account, Outgoing, Request, Response, Token
from templates_app.content import AndroidOnly, Button, IosOnly, PushText, WebOnly
from tests.providers.examples import message
from tests.sandbox.world import DEVICE, PUSHY_TOKEN, REGISTRATION_ID, Ask, Running

BUTTONS = (Button("buy", "구매", "https://x/buy"), Button("later", "나중에"))
AS_DATA = json.dumps(
    [{"id": "buy", "label": "구매", "link": "https://x/buy"}, {"id": "later", "label": "나중에"}],
    ensure_ascii=False,
    separators=(",", ":"),
)
IOS = IosOnly(subtitle="s", interruption_level="time-sensitive", thread_id="orders", category="shop")
ANDROID = AndroidOnly(channel_id="orders", priority="high", icon="ic_bag", color="#ff0000", click_action="OPEN")

#: Service, what the text says for its platform, and what of it is in the body.
CASES: list[tuple[str, IosOnly | AndroidOnly | WebOnly, dict[str, Any]]] = [
    (
        "apns",
        IOS,
        {
            "aps.alert": {"title": "재입고", "body": "안녕", "subtitle": "s"},
            "aps.badge": 3,
            "aps.mutable-content": 1,
            "aps.category": "shop",
            "aps.thread-id": "orders",
            "aps.interruption-level": "time-sensitive",
            "buttons": json.loads(AS_DATA),
        },
    ),
    (
        "fcm",
        ANDROID,
        {
            "message.android.ttl": "60s",
            "message.android.collapseKey": "item-1",
            "message.android.notification": {
                "channelId": "orders",
                "icon": "ic_bag",
                "color": "#ff0000",
                "clickAction": "OPEN",
                "notificationPriority": "PRIORITY_HIGH",
                "notificationCount": 3,
            },
            "message.data.buttons": AS_DATA,
            "message.data.link": "https://x/1",
        },
    ),
    (
        "webpush",
        WebOnly(require_interaction=True),
        {
            "badge": 3,
            "tag": "item-1",
            "requireInteraction": True,
            "actions": [
                {"action": "buy", "title": "구매", "link": "https://x/buy"},
                {"action": "later", "title": "나중에"},
            ],
        },
    ),
    (
        "jpush",
        ANDROID,
        {
            "options.time_to_live": 60,
            "notification.android.channel_id": "orders",
            "notification.android.priority": 1,
            "notification.android.icon_bg_color": "#ff0000",
            "notification.android.badge_set_num": 3,
            "notification.android.extras.buttons": AS_DATA,
        },
    ),
    (
        "pushy",
        ANDROID,
        {
            "time_to_live": 60,
            "collapse_key": "item-1",
            "data.badge": "3",
            "data.channel_id": "orders",
            "data.priority": "high",
            "data.icon": "ic_bag",
            "data.color": "#ff0000",
            "data.buttons": AS_DATA,
        },
    ),
]


def account(sandbox: Running, service: str) -> Account:
    given = sandbox.credentials[service]
    credentials = {name: one if isinstance(one, str) else json.dumps(one) for name, one in given.items()}
    credentials["key_p8"] = credentials.get("private_key", "")
    return Account(service, credentials["endpoint"], credentials, credentials)


def composed(sandbox: Running, service: str, text: PushText, **overrides: Any) -> Outgoing:
    address = {
        "apns": DEVICE,
        "fcm": "registration-token-of-a-phone",
        "webpush": json.dumps(sandbox.subscription("jimin")),
        "jpush": REGISTRATION_ID,
        "pushy": PUSHY_TOKEN,
    }[service]
    now = datetime.now(tz=UTC)
    value = sandbox.bearer if service == "fcm" else sandbox.provider_token()
    token = Token(value, now + timedelta(hours=1)) if service in ("apns", "fcm") else None
    one = message(text, address, at=now, **overrides)
    return registry.provider(service).compose(one, account(sandbox, service), token)


def inside(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body[name]
    return body


@pytest.mark.parametrize(("service", "own", "expected"), CASES, ids=[case[0] for case in CASES])
def test_all_that_a_template_says_arrives(
    sandbox: Running, service: str, own: IosOnly | AndroidOnly | WebOnly, expected: dict[str, Any]
) -> None:
    delivery_id = uuid4()
    text = PushText(
        "재입고", "안녕", link="https://x/1", collapse_key="item-1", badge=3, ttl=60, buttons=BUTTONS, own=own
    )
    request = composed(sandbox, service, text, delivery_id=delivery_id)
    assert isinstance(request, Request)
    said = sandbox.send(Ask(request.url, request.headers, request.body))
    outcome = registry.provider(service).interpret(Response(said.status, said.headers, said.body))
    assert isinstance(outcome, Accepted), said.body
    [attempt] = sandbox.row(str(delivery_id))["attempts"]
    body = json.loads(attempt["body"])
    assert {path: inside(body, path) for path in expected} == expected
    if service == "webpush":
        assert (request.headers["ttl"], request.headers["topic"]) == ("60", "item-1")
    if service == "apns":
        assert request.headers["apns-collapse-id"] == "item-1"
        assert abs(int(request.headers["apns-expiration"]) - datetime.now(tz=UTC).timestamp() - 60) < 30


@pytest.mark.parametrize(
    ("ttl", "expires_in", "lifetime"), [(None, None, 1000), (60, None, 60), (60, 30, 30), (30, 60, 30), (60, -5, 0)]
)
def test_a_message_lives_until_the_earlier_end(ttl: int | None, expires_in: int | None, lifetime: int) -> None:
    one = message(PushText("t", "b", ttl=ttl), "x")
    if expires_in is not None:
        one = message(one.text, "x", expires_at=one.at + timedelta(seconds=expires_in))
    assert one.lifetime(timedelta(seconds=1000)) == timedelta(seconds=lifetime)


def test_now_or_never_is_zero_for_apple(sandbox: Running) -> None:
    request = composed(sandbox, "apns", PushText("t", "b", ttl=0))
    assert isinstance(request, Request)
    assert request.headers["apns-expiration"] == "0"


@pytest.mark.parametrize(
    "aps", [{"badge": "3"}, {"interruption-level": "loud"}, {"mutable-content": 2}, {"category": 1}, {"thread-id": []}]
)
def test_the_simulator_of_apple_refuses_what_ios_would_not_understand(sandbox: Running, aps: dict[str, Any]) -> None:
    assert sandbox.send(sandbox.apns(payload={"aps": {"alert": "x", **aps}})).status == 400


@pytest.mark.parametrize("wrong", [{"badge": "3"}, {"actions": [{"title": "x"}]}, {"requireInteraction": 1}])
def test_the_simulator_of_a_browser_refuses_what_a_worker_could_not_show(sandbox: Running, wrong: Any) -> None:
    assert sandbox.send(sandbox.webpush(said={"title": "x", **wrong})).status == 400
