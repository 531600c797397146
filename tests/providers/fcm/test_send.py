import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    NoAnswer,
    NotSent,
    Request,
    Throttled,
    Token,
    TokenUnavailable,
    Transient,
)
from notifications.providers.fcm.send import CODES, Fcm
from notifications.vocabulary import Urgency
from templates_app.content import PushText
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, message, pem, response
from tests.providers.published import assert_fits, discovered, specification

KEY = rsa.generate_private_key(65537, 2048)
KEY_FILE = {
    "type": "service_account",
    "project_id": "shop-1",
    "private_key_id": "k1",
    "private_key": pem(KEY),
    "client_email": "sender@shop-1.iam.gserviceaccount.com",
    "token_uri": "https://tokens.test/token",
}
TOKEN = Token("ya29.access", AT + timedelta(minutes=55))
ADDRESS = "dQw4:APA91b-registration_token"
PLAIN = PushText("재입고", "상품이 재입고되었습니다.")
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def account(settings: Mapping[str, str] | None = None, **changes: object) -> Account:
    return Account(
        "google", "https://fcm.test", {"service_account": json.dumps({**KEY_FILE, **changes})}, settings or {}
    )


def compose(text: PushText = PLAIN, *, to: Account | None = None, **overrides: object) -> Request:
    return Fcm().compose(message(text, ADDRESS, **overrides), to or account(), TOKEN)


def sent(request: Request) -> Any:
    return json.loads(request.body)["message"]


def failure(status: str = "", code: str = "", fields: tuple[str, ...] = (), said: str = "") -> dict[str, object]:
    """An error as Google words it: its general status, FCM's own code, the fields it complains about."""
    details: list[dict[str, object]] = []
    if code:
        details.append({"@type": FCM_ERROR, "errorCode": code})
    if fields:
        violations = [{"field": field, "description": "Invalid value"} for field in fields]
        details.append({"@type": BAD_REQUEST, "fieldViolations": violations})
    return {"error": {"code": 0, "message": said, "status": status, "details": details}}


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_a_notification_for_one_token_with_the_deliverys_id() -> None:
    request = compose()
    assert (request.method, request.url) == ("POST", "https://fcm.test/v1/projects/shop-1/messages:send")
    assert request.headers == {"authorization": "Bearer ya29.access", "content-type": "application/json"}
    assert json.loads(request.body) == {
        "message": {
            "token": ADDRESS,
            "notification": {"title": PLAIN.title, "body": PLAIN.body},
            "data": {"bongsu_delivery_id": str(DELIVERY)},
            "android": {"priority": "HIGH", "ttl": f"{28 * 86_400}s"},
        }
    }


RICH = PushText("t", "b", image="https://x/i.png", link="app://item/1", sound="ping", collapse_key="item-1")


def test_everything_a_template_can_say_reaches_the_app() -> None:
    content = sent(compose(RICH, to=account({"android_channel": "orders"}), data={"item": "1"}))
    assert content["notification"] == {"title": "t", "body": "b", "image": "https://x/i.png"}
    assert content["data"] == {"item": "1", "link": "app://item/1", "bongsu_delivery_id": str(DELIVERY)}
    assert content["android"]["collapseKey"] == "item-1"
    assert content["android"]["notification"] == {"sound": "ping", "channelId": "orders"}


@pytest.mark.parametrize("text", [PLAIN, RICH])
@pytest.mark.parametrize("urgency", list(Urgency))
def test_what_is_sent_fits_googles_own_specification(text: PushText, urgency: Urgency) -> None:
    request = compose(text, urgency=urgency, expires_at=AT + timedelta(hours=1), data={"item": "1"})
    for document in (discovered("fcm", "v1"), specification("fcm_v1.json")):
        assert_fits(json.loads(request.body), {"$ref": "#/components/schemas/SendMessageRequest"}, document)


def test_data_cannot_take_the_deliverys_name() -> None:
    assert sent(compose(data={"bongsu_delivery_id": "mine"}))["data"]["bongsu_delivery_id"] == str(DELIVERY)


@pytest.mark.parametrize(
    ("urgency", "priority"), [(Urgency.CRITICAL, "HIGH"), (Urgency.NORMAL, "HIGH"), (Urgency.BULK, "NORMAL")]
)
def test_only_bulk_may_wait_for_the_battery(urgency: Urgency, priority: str) -> None:
    assert sent(compose(urgency=urgency))["android"]["priority"] == priority


@pytest.mark.parametrize(
    ("expires_at", "ttl"),
    [
        (None, "2419200s"),  # four weeks, as long as FCM keeps anything
        (AT + timedelta(hours=1), "3600s"),
        (AT + timedelta(days=90), "2419200s"),
        (AT + timedelta(milliseconds=500), "0s"),
        (AT - timedelta(hours=1), "0s"),
    ],
)
def test_google_keeps_a_message_until_it_expires(expires_at: datetime | None, ttl: str) -> None:
    assert sent(compose(expires_at=expires_at))["android"]["ttl"] == ttl


def test_a_project_stays_inside_its_place_in_the_path() -> None:
    request = compose(to=account(project_id="../x?y#z"))
    assert request.url == "https://fcm.test/v1/projects/..%2Fx%3Fy%23z/messages:send"


# --- who we are --------------------------------------------------------------------------------------
class TokenService:
    """Google's token service: remembers what it was asked and gives one answer."""

    def __init__(self, answer: Exchange) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Exchange:
        self.asked.append(request)
        return self.answer


def grant(**changes: object) -> Exchange:
    return response(200, {"access_token": "ya29.new", "expires_in": 3599, "token_type": "Bearer", **changes})


def test_the_service_account_signs_for_a_token_at_the_place_that_its_key_file_names() -> None:
    service = TokenService(grant())
    assert Fcm().authorise(account(), AT, service).value == "ya29.new"
    [request] = service.asked
    assert (request.method, request.url) == ("POST", "https://tokens.test/token")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(request.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = jwt.decode(form["assertion"][0], KEY.public_key(), algorithms=["RS256"], options={"verify_aud": False})
    assert claims["iss"] == KEY_FILE["client_email"]
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"


@pytest.mark.parametrize(
    ("expires_in", "renewed_after"),
    [
        (3600, timedelta(minutes=55)),
        ("3600", timedelta(minutes=55)),
        (1800, timedelta(minutes=25)),
        (60, timedelta(0)),
        (10**9, timedelta(days=1) - timedelta(minutes=5)),
    ],
)
def test_a_token_is_renewed_five_minutes_before_its_end(expires_in: object, renewed_after: timedelta) -> None:
    token = Fcm().authorise(account(), AT, TokenService(grant(expires_in=expires_in)))
    assert token.renew_at == AT + renewed_after


@pytest.mark.parametrize(
    "answer",
    [
        NotSent("no connection"),
        NoAnswer("timeout"),
        response(408),
        response(429),
        response(500, {"error": "internal_failure"}),
        response(503, b"<html>"),
    ],
)
def test_a_token_service_in_trouble_is_asked_once_and_says_nothing_about_the_account(answer: Exchange) -> None:
    service = TokenService(answer)
    with pytest.raises(TokenUnavailable, match="the token service"):
        Fcm().authorise(account(), AT, service)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        response(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}),
        response(401, {"error": "invalid_client"}),
        response(403, b"<html>"),
        response(200, {"token_type": "Bearer"}),
    ],
)
def test_a_refused_service_account_cannot_work(answer: Exchange) -> None:
    with pytest.raises(BadAccount, match="google: no access token") as refused:
        Fcm().authorise(account(), AT, TokenService(answer))
    assert not isinstance(refused.value, TokenUnavailable)


@pytest.mark.parametrize(
    ("key_file", "complaint"),
    [
        ("", "lacks credential service_account"),
        ("nonsense", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ("{}", "without project_id, client_email, private_key, token_uri"),
        (json.dumps({**KEY_FILE, "private_key": "nonsense"}), "private_key is broken"),
        (json.dumps({**KEY_FILE, "private_key": KEY_FILE["private_key"][:-200]}), "private_key is broken"),
        (json.dumps({**KEY_FILE, "private_key": pem(ec.generate_private_key(ec.SECP256R1()))}), "kind than RSA"),
        (json.dumps({**KEY_FILE, "private_key": "-----BEGIN CERTIFICATE-----"}), "a certificate"),
        (json.dumps({**KEY_FILE, "private_key": "-----BEGIN ENCRYPTED PRIVATE KEY-----"}), "encrypted"),
        (json.dumps({**KEY_FILE, "client_email": None}), "without client_email"),
        (json.dumps({**KEY_FILE, "project_id": ""}), "without project_id"),
        (json.dumps({**KEY_FILE, "project_id": 7}), "without project_id"),
        (json.dumps({**KEY_FILE, "token_uri": "http://plain.example"}), "token_uri does not begin with https"),
        (json.dumps({**KEY_FILE, "type": "authorized_user"}), "another type"),
        (json.dumps({"project_info": {}, "client": []}), "google-services.json"),
        (json.dumps({"apiKey": "AIza", "projectId": "x"}), "web app's configuration"),
        (json.dumps({"installed": {"client_id": "x"}}), "an OAuth client's file"),
    ],
)
def test_an_account_that_cannot_work_is_told_why(key_file: str, complaint: str) -> None:
    with pytest.raises(BadAccount, match=complaint):
        Fcm().check(Account("google", "https://fcm.test", {"service_account": key_file}))


def test_a_complete_account_passes() -> None:
    Fcm().check(account())


# --- what an answer means ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "general", "code", "expected"),
    [
        (404, "NOT_FOUND", "UNREGISTERED", AddressDead),
        (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", AddressDead),
        (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Throttled),
        (429, "RESOURCE_EXHAUSTED", "", Throttled),
        (503, "UNAVAILABLE", "UNAVAILABLE", Transient),
        (500, "INTERNAL", "INTERNAL", Transient),
        (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", CredentialBad),
        (401, "UNAUTHENTICATED", "", CredentialBad),
        (403, "PERMISSION_DENIED", "", CredentialBad),
        (500, "UNKNOWN", "UNSPECIFIED_ERROR", Transient),
        (404, "NOT_FOUND", "", CredentialBad),  # the project, not the token
        (400, "FAILED_PRECONDITION", "SOMETHING_NEW", Transient),
        (404, "NOT_FOUND", "SOMETHING_NEW", CredentialBad),
        (502, "", "", Transient),
    ],
)
def test_every_code_has_its_outcome(status: int, general: str, code: str, expected: type) -> None:
    outcome = Fcm().interpret(response(status, failure(general, code)))
    assert isinstance(outcome, expected)
    assert (code or general) in getattr(outcome, "detail", "")


def test_the_table_has_no_code_that_is_not_tested() -> None:
    (table,) = test_every_code_has_its_outcome.pytestmark  # type: ignore[attr-defined]
    tested = {word for _, general, code, _ in table.args[1] for word in (general, code)}
    assert set(CODES) <= tested


NOT_A_TOKEN = "The registration token is not a valid FCM registration token"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # The token is dead only where Google complains about the token …
        (failure("INVALID_ARGUMENT", "INVALID_ARGUMENT", said=NOT_A_TOKEN), AddressDead),
        (failure("INVALID_ARGUMENT", "", ("message.token",), NOT_A_TOKEN), AddressDead),
        (failure("INVALID_ARGUMENT", "INVALID_ARGUMENT", ("message.token",)), AddressDead),
        # … and the message is bad where it complains about anything else.
        (failure("INVALID_ARGUMENT", "INVALID_ARGUMENT", ("message.data",)), ContentBad),
        (failure("INVALID_ARGUMENT", "", ("message.android.ttl",)), ContentBad),
        (failure("INVALID_ARGUMENT", "", ("message.notification.image",), NOT_A_TOKEN), ContentBad),
        (failure("INVALID_ARGUMENT", "INVALID_ARGUMENT", said="Android message is too big"), ContentBad),
        (failure("INVALID_ARGUMENT"), ContentBad),
    ],
)
def test_an_invalid_argument_is_the_tokens_fault_only_when_it_is_the_token(answer: object, expected: type) -> None:
    assert isinstance(Fcm().interpret(response(400, answer)), expected)


def test_a_bad_field_is_named() -> None:
    outcome = Fcm().interpret(response(400, failure("INVALID_ARGUMENT", "", ("message.data", "message.android"))))
    assert outcome == ContentBad("INVALID_ARGUMENT: message.data, message.android")


def test_an_accepted_message_has_googles_name() -> None:
    name = "projects/shop-1/messages/0:1500415314455276%31bd1c9631bd1c96"
    assert Fcm().interpret(response(200, {"name": name})) == Accepted(name.rpartition("/")[2])


@pytest.mark.parametrize(
    ("status", "answer", "stale"),
    [
        (401, failure("UNAUTHENTICATED"), True),
        (401, b"", True),
        (401, failure("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), False),  # the key at Firebase, not our token
        (403, failure("PERMISSION_DENIED"), False),
    ],
)
def test_only_a_stale_token_asks_for_a_new_one(status: int, answer: object, stale: bool) -> None:
    outcome = Fcm().interpret(response(status, answer))
    assert isinstance(outcome, CredentialBad)
    assert outcome.stale_token is stale


@pytest.mark.parametrize(
    ("status", "code", "headers", "wait"),
    [
        (429, "QUOTA_EXCEEDED", {"retry_after": "120"}, 120),
        (429, "QUOTA_EXCEEDED", {}, 60),  # "wait at least a minute"
        (503, "UNAVAILABLE", {"retry_after": "30"}, 30),
        (503, "UNAVAILABLE", {}, None),
    ],
)
def test_googles_wish_for_patience_is_passed_on(
    status: int, code: str, headers: dict[str, str], wait: float | None
) -> None:
    outcome = Fcm().interpret(response(status, failure("", code), **headers))
    assert isinstance(outcome, Throttled | Transient)
    assert outcome.retry_after == wait


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Transient),
        (401, CredentialBad),
        (404, CredentialBad),
        (413, ContentBad),
        (429, Throttled),
        (502, Transient),
    ],
)
def test_an_unreadable_answer_is_judged_by_its_status_and_kills_no_token(
    status: int, expected: type, body: bytes
) -> None:
    assert isinstance(Fcm().interpret(response(status, body)), expected)
