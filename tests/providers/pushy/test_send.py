import json
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
    Outcome,
    Request,
    Throttled,
    Transient,
)
from notifications.providers.pushy.send import CODES, Pushy
from templates_app.content import PushText, SmsText
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, message, response

API_KEY = "6a547f1e7fa1dca83ec11a9210b99dfc87f3935b12415"
ADDRESS = "a6345d0278adc55d3474f5"
PLAIN = PushText("重新到货", "您关注的商品已到货。")


def account(api_key: str = API_KEY) -> Account:
    return Account("pushy", "https://pushy.test", {"api_key": api_key})


def compose(text: PushText = PLAIN, *, to: Account | None = None, **overrides: object) -> Request:
    return Pushy().compose(message(text, ADDRESS, **overrides), to or account(), None)


def sent(request: Request) -> Any:
    return json.loads(request.body)


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_data_for_one_device_with_the_deliverys_id() -> None:
    request = compose()
    assert (request.method, request.url) == ("POST", f"https://pushy.test/push?api_key={API_KEY}")
    assert request.headers == {"content-type": "application/json"}
    assert sent(request) == {
        "to": ADDRESS,
        "data": {"title": PLAIN.title, "message": PLAIN.body, "bongsu_delivery_id": str(DELIVERY)},
    }


def test_everything_a_template_can_say_reaches_the_app() -> None:
    rich = PushText("t", "b", image="https://x/i.png", link="app://item/1", sound="ping", collapse_key="item-1")
    content = sent(compose(rich, data={"item": "1"}))
    assert content["collapse_key"] == "item-1"
    assert content["data"] == {
        "item": "1",
        "title": "t",
        "message": "b",
        "image": "https://x/i.png",
        "link": "app://item/1",
        "sound": "ping",
        "bongsu_delivery_id": str(DELIVERY),
    }


@pytest.mark.parametrize("name", ["bongsu_delivery_id", "title", "message"])
def test_data_cannot_take_the_names_of_what_is_said(name: str) -> None:
    assert sent(compose(data={name: "mine"}))["data"][name] != "mine"


@pytest.mark.parametrize(
    ("expires_at", "seconds"),
    [
        (None, None),  # 30 days, as Pushy likes it
        (AT + timedelta(hours=1), 3600),
        (AT + timedelta(days=400), 31_536_000),
        # never 0, which might count as absent
        (AT + timedelta(milliseconds=500), 1),
        (AT - timedelta(hours=1), 1),
    ],
)
def test_pushy_keeps_a_message_until_it_expires(expires_at: datetime | None, seconds: int | None) -> None:
    assert sent(compose(expires_at=expires_at)).get("time_to_live") == seconds


@pytest.mark.parametrize("key", ["k", "k" * 32])
def test_a_collapse_key_that_fits_stays(key: str) -> None:
    assert sent(compose(PushText("t", "b", collapse_key=key)))["collapse_key"] == key


def test_long_collapse_keys_that_begin_alike_stay_apart() -> None:
    first, second = (
        sent(compose(PushText("t", "b", collapse_key="k" * 40 + end)))["collapse_key"] for end in ("1", "2")
    )
    assert len(first) == len(second) == 32
    assert first != second


def test_a_key_stays_inside_its_place_in_the_address() -> None:
    assert compose(to=account("a&b=c#d")).url == "https://pushy.test/push?api_key=a%26b%3Dc%23d"


def test_only_pushes_are_taken() -> None:
    with pytest.raises(TypeError, match="push text"):
        Pushy().compose(message(SmsText("x"), ADDRESS), account(), None)


# --- who we are --------------------------------------------------------------------------------------
def test_the_key_stands_in_no_representation() -> None:
    Pushy().check(account())
    for shown in (repr(account()), repr(compose()), str(compose())):
        assert API_KEY not in shown


@pytest.mark.parametrize("api_key", ["", "short", "with space 0123456789", "한글" * 10, "a&b" * 10, "x" * 129])
def test_a_key_that_cannot_work_is_named(api_key: str) -> None:
    with pytest.raises(BadAccount, match="api_key"):
        Pushy().check(account(api_key))


def test_no_token_is_needed() -> None:
    assert Pushy().authorise(account(), AT, lambda _request: pytest.fail("nobody is asked")) is None  # type: ignore[func-returns-value]


# --- what every answer means -------------------------------------------------------------------------
def test_a_message_is_taken_under_pushys_id() -> None:
    taken = {"success": True, "id": "5ea9b214b47cad768a35f13a", "info": {"devices": 1, "failed": []}}
    assert Pushy().interpret(response(200, taken)) == Accepted("5ea9b214b47cad768a35f13a")


def test_a_token_that_an_answer_of_success_calls_unknown_is_dead() -> None:
    said = {"success": True, "id": "5ea9b214b47cad768a35f13a", "info": {"devices": 0, "failed": [ADDRESS]}}
    outcome = Pushy().interpret(response(200, said))
    assert isinstance(outcome, AddressDead)
    assert ADDRESS not in outcome.detail


MEANINGS: list[tuple[int, str, type[Outcome]]] = [
    (400, "NO_RECIPIENTS", AddressDead),
    (400, "NO_APNS_AUTH", CredentialBad),
    (400, "PAYLOAD_LIMIT_EXCEEDED", ContentBad),
    (400, "INVALID_PARAM", ContentBad),
    (401, "INVALID_API_KEY", CredentialBad),
    (403, "AUTH_LIMIT_EXCEEDED", CredentialBad),
    (403, "ACCOUNT_SUSPENDED", CredentialBad),
    (429, "RATE_LIMIT_EXCEEDED", Throttled),
    (500, "INTERNAL_SERVER_ERROR", Transient),
]


@pytest.mark.parametrize(("status", "code", "meaning"), MEANINGS)
def test_every_listed_code_has_its_class(status: int, code: str, meaning: type[Outcome]) -> None:
    outcome = Pushy().interpret(response(status, {"code": code, "error": f"about {ADDRESS} with {API_KEY}"}))
    assert type(outcome) is meaning
    detail = outcome.detail  # type: ignore[union-attr]
    assert code in detail
    assert ADDRESS not in detail
    assert API_KEY not in detail


def test_the_table_has_no_code_that_this_one_lacks() -> None:
    assert set(CODES) == {code for _, code, _ in MEANINGS}


@pytest.mark.parametrize("code", sorted(set(CODES) - {"NO_RECIPIENTS"}))
def test_these_say_nothing_about_the_device(code: str) -> None:
    assert not isinstance(Pushy().interpret(response(400, {"code": code, "error": "x"})), AddressDead)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, Transient),
        (401, CredentialBad),
        (403, CredentialBad),
        (404, CredentialBad),
        (413, ContentBad),
        (429, Throttled),
        (500, Transient),
        (502, Transient),
        (503, Transient),
    ],
)
@pytest.mark.parametrize("body", [b"<html>", b'{"code": "SOMETHING_NEW", "error": "x"}', b'{"error": "x"}'])
def test_without_a_known_code_the_status_decides(status: int, meaning: type[Outcome], body: bytes) -> None:
    assert type(Pushy().interpret(response(status, body))) is meaning


@pytest.mark.parametrize(("headers", "seconds"), [({"retry_after": "7"}, 7), ({}, 60)])
def test_who_is_too_fast_waits_for_the_next_minute(headers: dict[str, str], seconds: float) -> None:
    outcome = Pushy().interpret(response(429, {"code": "RATE_LIMIT_EXCEEDED", "error": "x"}, **headers))
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == seconds


@pytest.mark.parametrize("body", HOSTILE_BODIES)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_whatever_a_proxy_answers_disables_nobody(status: int, body: bytes) -> None:
    outcome = Pushy().interpret(response(status, body))
    assert isinstance(outcome, Ambiguous if status == 200 else Transient)


def test_an_error_with_status_200_is_an_error() -> None:
    assert isinstance(Pushy().interpret(response(200, {"code": "NO_RECIPIENTS", "error": "x"})), AddressDead)
    assert isinstance(Pushy().interpret(response(200, {"error": "x"})), Transient)
