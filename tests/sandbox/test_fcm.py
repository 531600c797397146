"""The sandbox refuses what Google refuses, with Google's errors, and gives tokens only for a signed assertion."""

import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from requests import Session

from tests.sandbox.contracts import Contract
from tests.sandbox.world import Ask, Running, Said

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
FOREIGN_KEY = (
    rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)


def error_code(said: Said) -> str | None:
    details = said.json()["error"].get("details", [])
    return next((detail["errorCode"] for detail in details if detail["@type"] == FCM_ERROR), None)


def violation(said: Said) -> dict[str, str]:
    details = said.json()["error"]["details"]
    found: dict[str, str] = next(detail for detail in details if detail["@type"] == BAD_REQUEST)["fieldViolations"][0]
    return found


# --- tokens --------------------------------------------------------------------------------------------
def test_googles_own_client_gets_a_token(sandbox: Running) -> None:
    credentials = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        sandbox.credentials["fcm"]["service_account"], scopes=["https://www.googleapis.com/auth/firebase.messaging"]
    )
    with Session() as session:
        session.trust_env = False  # REQUESTS_CA_BUNDLE would win over `verify`
        session.verify = sandbox.state["ca_file"]
        credentials.refresh(Request(session))
    ask = sandbox.fcm().with_headers(authorization=f"Bearer {credentials.token}")
    assert sandbox.send(ask).status == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iss": "somebody@else.example"}, "invalid_grant"),
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant"),
        ({"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}, "invalid_grant"),
        ({"exp": int(time.time()) + 7200}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
        ({"key": FOREIGN_KEY}, "invalid_grant"),
    ],
)
def test_an_assertion_that_does_not_fit_buys_nothing(sandbox: Running, changes: dict[str, Any], error: str) -> None:
    said = sandbox.send(sandbox.assertion(**changes))
    assert (said.status, said.json()["error"]) == (400, error)


@pytest.mark.parametrize("authorization", [None, "Bearer ya29.invented", "Basic abc"])
def test_only_bearers_that_were_issued_here_are_heard(sandbox: Running, authorization: str | None) -> None:
    said = sandbox.send(sandbox.fcm().with_headers(authorization=authorization))
    assert (said.status, said.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


# --- messages ------------------------------------------------------------------------------------------
def test_a_good_message_is_accepted_with_its_name(sandbox: Running, fcm_contract: Contract) -> None:
    said = sandbox.send(sandbox.fcm())
    assert said.status == 200
    assert said.json()["name"].startswith("projects/bongsu-sandbox/messages/")
    fcm_contract.check(said.json(), "Message")


def test_names_may_be_written_in_both_ways(sandbox: Running) -> None:
    camel = {"collapseKey": "k", "ttl": "60s", "notification": {"channelId": "orders"}, "priority": "HIGH"}
    snake = {"collapse_key": "k", "ttl": "60s", "notification": {"channel_id": "orders"}, "data": {"snake_key": "v"}}
    for android in (camel, snake):
        assert sandbox.send(sandbox.fcm(android=android)).status == 200


def test_everything_the_contract_allows_is_accepted(sandbox: Running, fcm_contract: Contract) -> None:
    message = fcm_contract.example("Message") | {"token": "registration-token-of-a-phone"}
    for other in ("topic", "condition", "fid", "name"):
        message.pop(other)
    message["data"] = {"bongsu_delivery_id": "x"}
    said = sandbox.send(sandbox.fcm(whole={"message": message, "validateOnly": True}))
    assert said.status == 200, said.body


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"notifcation": {}}, "message"),
        ({"android": {"colapseKey": "x"}}, "message.android"),
        ({"android": {"ttl": "sixty"}}, "message.android.ttl"),
        ({"data": {"bongsu_delivery_id": 7}}, "message.data[...]"),
        ({"token": ""}, "message"),
        ({"topic": "a-second-target"}, "message"),
        ({"data": {"from": "x"}}, "message.data"),
        ({"data": {"google.x": "x"}}, "message.data"),
    ],
)
def test_a_bad_field_is_named(sandbox: Running, message: dict[str, Any], field: str) -> None:
    said = sandbox.send(sandbox.fcm(**message))
    assert (said.status, said.json()["error"]["status"], violation(said)["field"]) == (400, "INVALID_ARGUMENT", field)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b"[]", b'{"message": 7}'])
def test_what_is_no_message_is_refused(sandbox: Running, body: bytes) -> None:
    assert sandbox.send(sandbox.fcm().but(body=body)).status == 400


def test_more_than_4096_bytes_are_too_many(sandbox: Running) -> None:
    said = sandbox.send(sandbox.fcm(data={"text": "가" * 1400}))
    assert (said.status, error_code(said)) == (400, "INVALID_ARGUMENT")
    assert "too big" in said.json()["error"]["message"]


@pytest.mark.parametrize(
    ("start", "status", "code"),
    [
        ("unregistered-", 404, "UNREGISTERED"),
        ("sender-mismatch-", 403, "SENDER_ID_MISMATCH"),
        ("invalid-", 400, "INVALID_ARGUMENT"),
        ("third-party-", 401, "THIRD_PARTY_AUTH_ERROR"),
        ("quota-", 429, "QUOTA_EXCEEDED"),
        ("internal-", 500, "INTERNAL"),
        ("unavailable-", 503, "UNAVAILABLE"),
    ],
)
def test_special_tokens_have_their_errors(sandbox: Running, start: str, status: int, code: str) -> None:
    said = sandbox.send(sandbox.fcm(token=start + "t" * 30))
    assert (said.status, error_code(said)) == (status, code)
    assert ("retry-after" in said.headers) == (status in {429, 503})


def test_a_malformed_token_is_not_a_registration_token(sandbox: Running) -> None:
    said = sandbox.send(sandbox.fcm(token="short"))
    assert (said.status, error_code(said)) == (400, "INVALID_ARGUMENT")
    assert "registration token" in said.json()["error"]["message"]


def test_another_project_is_forbidden(sandbox: Running) -> None:
    ask: Ask = sandbox.fcm()
    said = sandbox.send(ask.but(url=ask.url.replace("bongsu-sandbox", "somebody-elses")))
    assert (said.status, said.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_a_dry_run_is_answered_and_not_recorded(sandbox: Running) -> None:
    ask = sandbox.fcm("5f0c7c4e-0000-7000-8000-000000000001")
    whole = json.loads(ask.body) | {"validateOnly": True}
    assert sandbox.send(ask.but(body=json.dumps(whole).encode())).status == 200
    assert sandbox.admin("GET", "record/5f0c7c4e-0000-7000-8000-000000000001").status == 404
