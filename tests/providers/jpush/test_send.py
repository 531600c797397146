import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    Ambiguous,
    BadAccount,
    ContentBad,
    CredentialBad,
    NoFunds,
    Outcome,
    Request,
    Throttled,
    Transient,
)
from notifications.providers.jpush.send import CODES, HOME, Jpush
from notifications.vocabulary import Urgency
from templates_app.content import PushText, SmsText
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, message, response

#: The pair of JPush's own example, "Authentication Example" of the server overview.
APP_KEY, MASTER_SECRET = "7d431e42dfa6a6d693ac2d04", "5e987ac6d2e04d95a9d8f0d1"
ADDRESS = "1a0018970aa2b9e8c44"
CID = "7d431e42dfa6a6d693ac2d04-128eeb45-471c-49f3-b442-a05c20c9ed56"
PLAIN = PushText("重新到货", "您关注的商品已到货。")


def account(settings: Mapping[str, str] | None = None, **changes: str) -> Account:
    credentials = {"app_key": APP_KEY, "master_secret": MASTER_SECRET, **changes}
    return Account("jiguang", "https://jpush.test", credentials, settings or {})


def compose(text: PushText = PLAIN, *, to: Account | None = None, **overrides: object) -> Request:
    return Jpush().compose(message(text, ADDRESS, **overrides), to or account(), None)


def sent(request: Request) -> Any:
    return json.loads(request.body)


def error(code: int, said: str = "") -> dict[str, object]:
    return {"msg_id": 9007480925391437, "error": {"code": code, "message": said}}


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_a_notification_for_one_android_device_with_the_deliverys_id() -> None:
    request = compose()
    assert (request.method, request.url) == ("POST", "https://jpush.test/v3/push")
    assert sent(request) == {
        "platform": ["android"],
        "audience": {"registration_id": [ADDRESS]},
        "notification": {
            "android": {
                "alert": PLAIN.body,
                "title": PLAIN.title,
                "intent": {"url": HOME},
                "extras": {"bongsu_delivery_id": str(DELIVERY)},
            }
        },
        "options": {"time_to_live": 259_200},
    }


def test_we_are_who_the_documents_say() -> None:
    assert compose().headers == {
        "authorization": "Basic N2Q0MzFlNDJkZmE2YTZkNjkzYWMyZDA0OjVlOTg3YWM2ZDJlMDRkOTVhOWQ4ZjBkMQ==",
        "content-type": "application/json",
    }


def test_a_number_goes_along_as_the_cid() -> None:
    assert sent(compose(number=CID))["cid"] == CID
    assert "cid" not in sent(compose())


def test_everything_a_template_can_say_reaches_the_app() -> None:
    rich = PushText("t", "b", image="https://x/i.png", link="app://item/1", sound="ping.caf", collapse_key="item-1")
    android = sent(compose(rich, to=account({"android_channel": "orders"}), data={"item": "1"}))["notification"][
        "android"
    ]
    assert android == {
        "alert": "b",
        "title": "t",
        "intent": {"url": "app://item/1"},
        "extras": {"item": "1", "link": "app://item/1", "bongsu_delivery_id": str(DELIVERY)},
        "style": 3,
        "big_pic_path": "https://x/i.png",
        "sound": "ping",
        "channel_id": "orders",
    }


def test_the_usual_sound_is_no_file_of_the_app() -> None:
    assert "sound" not in sent(compose(PushText("t", "b", sound="default")))["notification"]["android"]


def test_data_cannot_take_the_deliverys_name() -> None:
    android = sent(compose(data={"bongsu_delivery_id": "mine"}))["notification"]["android"]
    assert android["extras"]["bongsu_delivery_id"] == str(DELIVERY)


@pytest.mark.parametrize(
    ("urgency", "classification"), [(Urgency.CRITICAL, 1), (Urgency.NORMAL, None), (Urgency.BULK, None)]
)
def test_only_what_is_critical_is_a_system_message(urgency: Urgency, classification: int | None) -> None:
    assert sent(compose(urgency=urgency))["options"].get("classification") == classification


@pytest.mark.parametrize(
    ("plan", "expires_at", "seconds"),
    [
        ({}, None, 259_200),  # three days, as long as JPush keeps anything
        ({"plan": "vip"}, None, 864_000),
        ({}, AT + timedelta(hours=1), 3600),
        ({}, AT + timedelta(days=9), 259_200),
        ({"plan": "vip"}, AT + timedelta(days=9), 777_600),
        ({}, AT + timedelta(milliseconds=500), 0),
        ({}, AT - timedelta(hours=1), 0),
    ],
)
def test_jpush_keeps_a_message_until_it_expires(
    plan: dict[str, str], expires_at: datetime | None, seconds: int
) -> None:
    assert sent(compose(to=account(plan), expires_at=expires_at))["options"]["time_to_live"] == seconds


def test_only_pushes_are_taken() -> None:
    with pytest.raises(TypeError, match="push text"):
        Jpush().compose(message(SmsText("x"), ADDRESS), account(), None)


# --- who we are --------------------------------------------------------------------------------------
def test_a_good_account_passes_and_shows_no_secret() -> None:
    Jpush().check(account({"plan": "vip", "android_channel": "orders"}))
    for shown in (repr(account()), repr(compose())):
        assert MASTER_SECRET not in shown
        assert base64.b64encode(MASTER_SECRET.encode()).decode()[4:-4] not in shown


@pytest.mark.parametrize(
    ("changes", "settings", "names"),
    [
        ({"app_key": ""}, {}, "app_key"),
        ({"master_secret": ""}, {}, "master_secret"),
        ({"app_key": "7d431e42"}, {}, "app_key"),
        ({"master_secret": "x" * 24}, {}, "master_secret"),
        ({"app_key": f"{APP_KEY}:"}, {}, "app_key"),
        ({}, {"plan": "gold"}, "plan"),
    ],
)
def test_an_account_that_cannot_work_is_named(changes: dict[str, str], settings: dict[str, str], names: str) -> None:
    with pytest.raises(BadAccount, match=names):
        Jpush().check(account(settings, **changes))


def test_no_token_is_needed() -> None:
    assert Jpush().authorise(account(), AT, lambda _request: pytest.fail("nobody is asked")) is None  # type: ignore[func-returns-value]


# --- what every answer means -------------------------------------------------------------------------
@pytest.mark.parametrize("msg_id", ["1828256757", 1828256757])
def test_a_message_is_taken_under_jpushs_id(msg_id: object) -> None:
    assert Jpush().interpret(response(200, {"sendno": "18", "msg_id": msg_id})) == Accepted("1828256757")


#: "Call Return" of the Push API: HTTP status, code, class.
MEANINGS: list[tuple[int, int, type[Outcome]]] = [
    (500, 1000, Transient),
    (405, 1001, CredentialBad),
    (400, 1002, ContentBad),
    (400, 1003, ContentBad),
    (401, 1004, CredentialBad),
    (400, 1005, ContentBad),
    (400, 1008, CredentialBad),
    (400, 1009, ContentBad),
    (400, 1011, AddressDead),
    (400, 1012, Throttled),
    (404, 1020, CredentialBad),
    (503, 1030, Transient),
    (429, 2002, Throttled),
    (403, 2003, CredentialBad),
    (403, 2004, CredentialBad),
    (403, 2005, NoFunds),
    (403, 2006, CredentialBad),
    (403, 2007, CredentialBad),
]


@pytest.mark.parametrize(("status", "code", "meaning"), MEANINGS)
def test_every_documented_code_has_its_class(status: int, code: int, meaning: type[Outcome]) -> None:
    outcome = Jpush().interpret(response(status, error(code, f"to {ADDRESS}")))
    assert type(outcome) is meaning
    assert str(code) in outcome.detail  # type: ignore[union-attr]
    assert ADDRESS not in outcome.detail  # type: ignore[union-attr]


def test_the_table_has_no_code_that_this_one_lacks() -> None:
    assert set(CODES) == {code for _, code, _ in MEANINGS}


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("The registration_id 140fe1da9e22a23f92f is invalid!", AddressDead("1003: not a registration id of this app")),
        (f"The cid {CID} is invalid!", Transient("1003: the cid is not known or too old", stale_number=True)),
        ("The time_to_live is invalid!", ContentBad("1003: a parameter has a value that is not allowed")),
        ("Decidedly not", ContentBad("1003: a parameter has a value that is not allowed")),
    ],
)
def test_1003_is_about_what_its_sentence_names(said: str, outcome: Outcome) -> None:
    assert Jpush().interpret(response(400, error(1003, said))) == outcome


@pytest.mark.parametrize(
    "code", [1002, 1003, 1005, 1009, 1004, 1008, 2003, 2004, 2005, 2006, 2007, 1000, 1030, 2002, 9999]
)
def test_these_say_nothing_about_the_device(code: int) -> None:
    assert not isinstance(Jpush().interpret(response(400, error(code))), AddressDead)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, Transient),
        (401, CredentialBad),
        (403, CredentialBad),
        (404, CredentialBad),
        (405, CredentialBad),
        (410, CredentialBad),
        (413, ContentBad),
        (429, Throttled),
        (500, Transient),
        (502, Transient),
        (504, Transient),
    ],
)
@pytest.mark.parametrize("body", [b"<html>", json.dumps(error(4711)).encode()])
def test_without_a_known_code_the_status_decides(status: int, meaning: type[Outcome], body: bytes) -> None:
    assert type(Jpush().interpret(response(status, body))) is meaning


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "42"}, 42),
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "42", "retry_after": "5"}, 42),
        # the window is not used up: its end is of no interest
        ({"x_rate_limit_remaining": "17", "x_rate_limit_reset": "42"}, None),
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "soon"}, None),
        ({"retry_after": "5"}, 5),
        ({}, None),
    ],
)
def test_who_is_too_fast_is_told_when_the_window_ends(headers: dict[str, str], seconds: float | None) -> None:
    outcome = Jpush().interpret(response(429, error(2002, "Rate limit exceeded"), **headers))
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == seconds


@pytest.mark.parametrize("body", HOSTILE_BODIES)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_whatever_a_proxy_answers_disables_nobody(status: int, body: bytes) -> None:
    outcome = Jpush().interpret(response(status, body))
    assert isinstance(outcome, Ambiguous if status == 200 else Transient)


def test_an_error_with_status_200_is_an_error() -> None:
    assert isinstance(Jpush().interpret(response(200, error(1011))), AddressDead)
