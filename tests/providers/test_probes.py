"""How an account is tried without a message to anybody: what is asked, and what each answer shows."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from notifications.providers import registry
from notifications.providers.contract import (
    Account,
    Request,
    Token,
)
from notifications.providers.probing import Prober, Standing
from tests.providers.examples import AT, HOSTILE_BODIES, pem, response

W, R, U = Standing.WORKS, Standing.REFUSED, Standing.UNCLEAR
SID = "AC" + "0f" * 16
SECRET = "5ecret" * 6
FILE = {
    "type": "service_account",
    "project_id": "shop-1",
    "private_key": pem(rsa.generate_private_key(65537, 2048)),
    "client_email": "sender@shop-1.iam.gserviceaccount.com",
    "token_uri": "https://tokens.test/token",
}
CREDENTIALS = {
    "apns": {"key_p8": pem(ec.generate_private_key(ec.SECP256R1())), "key_id": "ABC123DEFG", "team_id": "TEAM123456"},
    "fcm": {"service_account": json.dumps(FILE)},
    "twilio": {"account_sid": SID, "auth_token": SECRET},
    "vonage": {"api_key": "a1b2c3d4", "api_secret": SECRET},
    "sendgrid": {"api_key": f"SG.{SECRET}"},
    "mandrill": {"api_key": f"md-{SECRET}"},
    "jpush": {"app_key": "0f" * 12, "master_secret": SECRET},
    "pushy": {"api_key": "an0therkey" * 2},
}
TOKEN = Token("the-token", AT + timedelta(minutes=40))


def prober(name: str) -> Prober:
    found = registry.prober_of(name)
    assert found is not None
    return found


def asked(name: str) -> Request:
    account = Account(name, "https://provider.test", CREDENTIALS[name], {"topic": "com.example.app"})
    request = prober(name).probe(account, TOKEN)
    assert isinstance(request, Request)
    return request


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.mark.parametrize(
    ("name", "method", "path", "authorization"),
    [
        ("apns", "POST", "/3/device/0", "bearer the-token"),
        ("fcm", "POST", "/v1/projects/shop-1/messages:send", "Bearer the-token"),
        ("twilio", "GET", f"/2010-04-01/Accounts/{SID}.json", basic(SID, SECRET)),
        ("vonage", "GET", "/account/get-balance", basic("a1b2c3d4", SECRET)),
        ("sendgrid", "GET", "/v3/scopes", f"Bearer SG.{SECRET}"),
        ("mandrill", "POST", "/api/1.4/users/ping2.json", None),
        ("jpush", "GET", "/v3/push/cid?count=1&type=push", basic("0f" * 12, SECRET)),
        ("pushy", "POST", f"/push?api_key={'an0therkey' * 2}", None),  # Pushy has no other place for it
    ],
)
def test_what_is_asked(name: str, method: str, path: str, authorization: str | None) -> None:
    request = asked(name)
    assert (request.method, request.url) == (method, f"https://provider.test{path}")
    assert request.headers.get("authorization") == authorization
    assert SECRET not in request.url


def test_a_dry_run_says_so() -> None:
    assert json.loads(asked("fcm").body)["validateOnly"] is True
    assert json.loads(asked("mandrill").body) == {"key": f"md-{SECRET}"}


def test_nothing_would_be_seen_of_a_push_that_is_tried() -> None:
    request = asked("apns")
    assert json.loads(request.body) == {"aps": {"content-available": 1}}
    shape = {name: request.headers[name] for name in ("apns-push-type", "apns-priority", "apns-expiration")}
    assert shape == {"apns-push-type": "background", "apns-priority": "5", "apns-expiration": "0"}


@pytest.mark.parametrize("name", ["apns", "fcm"])
def test_where_a_token_is_needed_it_is_missed(name: str) -> None:
    with pytest.raises(TypeError, match="takes a token"):
        prober(name).probe(Account(name, "https://p.test", CREDENTIALS[name]), None)


def fcm(status: int, code: str) -> tuple[int, object]:
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}
    return status, {"error": {"code": status, "status": code, "details": [detail]}}


@pytest.mark.parametrize(
    ("name", "answer", "standing", "says"),
    [
        ("apns", (400, {"reason": "BadDeviceToken"}), W, "takes the key"),
        ("apns", (403, {"reason": "InvalidProviderToken"}), R, "do not belong together"),
        ("apns", (400, {"reason": "TopicDisallowed"}), R, "not allowed"),
        ("apns", (400, {"reason": "BadTopic"}), R, "malformed"),
        ("apns", (429, {"reason": "TooManyProviderTokenUpdates"}), U, "too often"),
        ("apns", (503, {"reason": "ServiceUnavailable"}), U, "unavailable"),
        ("apns", (200, b""), U, "endpoint"),
        ("fcm", (200, {"name": "projects/shop-1/messages/fake_message_id"}), W, "may send"),
        ("fcm", fcm(401, "UNAUTHENTICATED"), R, "access token"),
        ("fcm", fcm(403, "PERMISSION_DENIED"), R, "may not send"),
        ("fcm", fcm(404, "NOT_FOUND"), R, "404"),
        ("fcm", fcm(429, "QUOTA_EXCEEDED"), U, "too many"),
        ("fcm", fcm(503, "UNAVAILABLE"), U, "overloaded"),
        ("fcm", fcm(400, "INVALID_ARGUMENT"), U, "INVALID_ARGUMENT"),
        ("twilio", (200, {"sid": SID, "status": "active", "type": "Full"}), W, "active"),
        ("twilio", (200, {"sid": SID, "status": "active", "type": "Trial"}), W, "trial"),
        ("twilio", (200, {"sid": SID, "status": "suspended"}), R, "suspended"),
        ("twilio", (200, {"sid": SID, "status": "closed"}), R, "closed"),
        ("twilio", (401, {"code": 20003}), R, "do not belong together"),
        ("twilio", (404, {"code": 20404}), R, "no account"),
        ("twilio", (429, {"code": 20429}), U, "429"),
        ("twilio", (500, b""), U, "500"),
        ("vonage", (200, {"value": 10.28, "autoReload": False}), W, "10.28 EUR"),
        ("vonage", (200, {"value": 0, "autoReload": False}), R, "0.00 EUR"),
        ("vonage", (401, {"error-code": "401"}), R, "wrong or disabled"),
        ("vonage", (404, b""), R, "endpoint"),
        ("vonage", (503, b""), U, "503"),
        ("sendgrid", (200, {"scopes": ["mail.send", "alerts.read"]}), W, "may send"),
        ("sendgrid", (200, {"scopes": ["alerts.read"]}), R, "mail.send"),
        ("sendgrid", (401, {"errors": []}), R, "wrong or was revoked"),
        ("sendgrid", (404, b""), R, "endpoint"),
        ("sendgrid", (429, b""), U, "429"),
        ("jpush", (200, {"cidlist": ["8103a4c628a0b98974ec1949-1"]}), W, "takes the app key"),
        ("jpush", (401, {"error": {"code": 1004, "message": "x"}}), R, "do not fit"),
        ("jpush", (403, {"error": {"code": 2003, "message": "x"}}), R, "barred"),
        ("jpush", (429, {"error": {"code": 2002, "message": "x"}}), U, "more calls"),
        ("jpush", (200, {"cidlist": []}), U, "no cid"),
        ("pushy", (400, {"code": "NO_RECIPIENTS", "error": "x"}), W, "takes the key"),
        ("pushy", (401, {"code": "INVALID_API_KEY", "error": "x"}), R, "secret API key"),
        ("pushy", (403, {"code": "ACCOUNT_SUSPENDED", "error": "x"}), R, "suspended"),
        ("pushy", (429, {"code": "RATE_LIMIT_EXCEEDED", "error": "x"}), U, "more requests"),
        ("pushy", (200, {"success": True, "id": "5ea9b214b47cad768a35f13a", "info": {}}), U, "endpoint"),
        ("mandrill", (200, {"PING": "PONG!"}), W, "holds"),
        ("mandrill", (401, {"status": "error", "code": -1, "name": "Invalid_Key"}), R, "wrong or was revoked"),
        ("mandrill", (500, {"status": "error", "code": -1, "name": "Invalid_Key"}), R, "wrong or was revoked"),
        ("mandrill", (404, b""), R, "endpoint"),
        ("mandrill", (500, {"status": "error", "code": -99, "name": "GeneralError"}), U, "500"),
    ],
)
def test_what_an_answer_shows(name: str, answer: tuple[int, object], standing: Standing, says: str) -> None:
    judgement = prober(name).judge(response(*answer))
    assert judgement.standing is standing
    assert says in judgement.says
    assert judgement.says.endswith(".")


@pytest.mark.parametrize("name", CREDENTIALS)
@pytest.mark.parametrize("status", [200, 201, 302, 400, 500])
@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
def test_an_answer_that_no_provider_gives_shows_nothing(name: str, status: int, body: bytes) -> None:
    judgement = prober(name).judge(response(status, body))
    if name == "fcm" and status == 200:  # Google's answer has one field, and it may be empty
        return
    assert judgement.standing in (U, R)
    assert judgement.standing is U or status in (400, 302)


def test_every_provider_that_can_be_tried_is() -> None:
    assert {name for name in registry.NAMES if registry.prober_of(name)} >= set(CREDENTIALS)
    assert registry.prober_of("nobody") is None
