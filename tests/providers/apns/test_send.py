import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from notifications.providers.apns.send import REASONS, Apns
from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    Request,
    Throttled,
    Token,
    Transient,
)
from notifications.vocabulary import Urgency
from templates_app.content import PushText
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, encrypted_pem, message, pem, public_pem, response

KEY = ec.generate_private_key(ec.SECP256R1())
ACCOUNT = Account(
    "apple",
    "https://apns.test:2197",
    {"key_p8": pem(KEY), "key_id": "ABC123DEFG", "team_id": "TEAM123456"},
    {"topic": "com.example.app"},
)
TOKEN = Token("header.claims.signature", AT + timedelta(minutes=40))
ADDRESS = "a1" * 32
PLAIN = PushText("재입고", "상품이 재입고되었습니다.")


def nobody(_request: Request) -> Exchange:
    raise AssertionError("APNs signs its own tokens")


def compose(text: PushText = PLAIN, **overrides: object) -> Request:
    return Apns().compose(message(text, ADDRESS, **overrides), ACCOUNT, TOKEN)


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_an_alert_to_the_device_with_the_deliverys_id() -> None:
    request = compose()
    assert (request.method, request.url) == ("POST", f"https://apns.test:2197/3/device/{ADDRESS}")
    assert request.headers == {
        "authorization": "bearer header.claims.signature",
        "content-type": "application/json",
        "apns-topic": "com.example.app",
        "apns-push-type": "alert",
        "apns-id": str(DELIVERY),
        "apns-priority": "10",
        "apns-expiration": str(int((AT + timedelta(days=30)).timestamp())),
    }
    assert json.loads(request.body) == {"aps": {"alert": {"title": PLAIN.title, "body": PLAIN.body}}}


def test_everything_a_template_can_say_reaches_the_app() -> None:
    text = PushText("t", "b", image="https://x/i.png", link="app://item/1", sound="ping.caf", collapse_key="item-1")
    request = compose(text, data={"item": "1"})
    assert request.headers["apns-collapse-id"] == "item-1"
    assert json.loads(request.body) == {
        "aps": {"alert": {"title": "t", "body": "b"}, "sound": "ping.caf", "thread-id": "item-1", "mutable-content": 1},
        "item": "1",
        "link": "app://item/1",
        "image": "https://x/i.png",
    }


def test_data_cannot_replace_what_apple_reads() -> None:
    assert json.loads(compose(data={"aps": "mine"}).body)["aps"] == {
        "alert": {"title": PLAIN.title, "body": PLAIN.body}
    }


@pytest.mark.parametrize(
    ("urgency", "priority"), [(Urgency.CRITICAL, "10"), (Urgency.NORMAL, "10"), (Urgency.BULK, "5")]
)
def test_only_bulk_may_wait_for_the_battery(urgency: Urgency, priority: str) -> None:
    assert compose(urgency=urgency).headers["apns-priority"] == priority


@pytest.mark.parametrize(
    ("expires_at", "expiration"),
    [
        (None, AT + timedelta(days=30)),  # kept as long as Apple keeps anything
        (AT + timedelta(hours=1), AT + timedelta(hours=1)),
        (AT + timedelta(days=90), AT + timedelta(days=30)),
    ],
)
def test_apple_keeps_a_message_until_it_expires(expires_at: datetime | None, expiration: datetime) -> None:
    assert compose(expires_at=expires_at).headers["apns-expiration"] == str(int(expiration.timestamp()))


@pytest.mark.parametrize("key", ["k" * 65, "재입고-1", "a\r\nx-evil: yes"])
def test_a_collapse_key_that_apple_would_refuse_becomes_another_that_is_as_unique(key: str) -> None:
    collapse_id = compose(PushText("t", "b", collapse_key=key)).headers["apns-collapse-id"]
    assert collapse_id.isalnum()
    assert len(collapse_id.encode()) == 64
    assert collapse_id != compose(PushText("t", "b", collapse_key=key + "x")).headers["apns-collapse-id"]


def test_an_address_stays_inside_its_place_in_the_path() -> None:
    request = Apns().compose(message(PLAIN, "../../x?y#z"), ACCOUNT, TOKEN)
    assert request.url == "https://apns.test:2197/3/device/..%2F..%2Fx%3Fy%23z"


# --- who we are --------------------------------------------------------------------------------------
def test_the_provider_token_is_signed_for_now_and_renewed_after_forty_minutes() -> None:
    token = Apns().authorise(ACCOUNT, AT, nobody)
    assert jwt.get_unverified_header(token.value) == {"alg": "ES256", "kid": "ABC123DEFG", "typ": "JWT"}
    claims = jwt.decode(token.value, KEY.public_key(), algorithms=["ES256"], options={"verify_iat": False})
    assert claims == {"iss": "TEAM123456", "iat": int(AT.timestamp())}
    assert token.renew_at == AT + timedelta(minutes=40)


@pytest.mark.parametrize(
    ("credentials", "complaint"),
    [
        ({"key_p8": ""}, "lacks credential key_p8"),
        ({"key_id": ""}, "lacks credential key_id"),
        ({"key_p8": "nonsense"}, "not a readable key"),
        ({"key_p8": pem(rsa.generate_private_key(65537, 2048))}, "another kind; .* P-256 key"),
        ({"key_p8": pem(ec.generate_private_key(ec.SECP384R1()))}, "secp384r1; .* P-256 key"),
        ({"key_p8": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"}, "a certificate, not a key"),
        ({"key_p8": public_pem(KEY)}, "a public key"),
        ({"key_p8": encrypted_pem(KEY)}, "an encrypted key"),
    ],
)
def test_an_account_that_cannot_work_is_told_why(credentials: dict[str, str], complaint: str) -> None:
    account = Account("apple", ACCOUNT.endpoint, {**ACCOUNT.credentials, **credentials}, ACCOUNT.settings)
    with pytest.raises(BadAccount, match=complaint):
        Apns().check(account)
    with pytest.raises(BadAccount, match=complaint):
        Apns().authorise(account, AT, nobody)


@pytest.mark.parametrize(
    ("credentials", "topic", "complaint"),
    [
        ({"key_id": "ABC123"}, "com.example.app", "key_id is the key's id, ten characters"),
        ({"team_id": "team123456"}, "com.example.app", "team_id is .* in capitals"),
        ({}, "My App", "topic is the app's bundle id"),
        ({}, "TEAM123456.com.example.app", "without the team's id"),
    ],
)
def test_what_apple_never_gives_out_is_refused(credentials: dict[str, str], topic: str, complaint: str) -> None:
    with pytest.raises(BadAccount, match=complaint):
        Apns().check(Account("apple", ACCOUNT.endpoint, {**ACCOUNT.credentials, **credentials}, {"topic": topic}))


def test_an_account_without_a_topic_cannot_work() -> None:
    with pytest.raises(BadAccount, match="lacks setting topic"):
        Apns().check(Account("apple", ACCOUNT.endpoint, ACCOUNT.credentials))
    Apns().check(ACCOUNT)


# --- what an answer means ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (410, "Unregistered", AddressDead),
        (410, "ExpiredToken", AddressDead),
        (400, "BadDeviceToken", AddressDead),
        (400, "DeviceTokenNotForTopic", AddressDead),
        (400, "BadCollapseId", ContentBad),
        (400, "BadExpirationDate", ContentBad),
        (400, "BadMessageId", ContentBad),
        (400, "BadPriority", ContentBad),
        (400, "BadTopic", ContentBad),
        (400, "DuplicateHeaders", ContentBad),
        (400, "InvalidPushType", ContentBad),
        (400, "MissingDeviceToken", ContentBad),
        (400, "MissingTopic", ContentBad),
        (400, "PayloadEmpty", ContentBad),
        (400, "TopicDisallowed", ContentBad),
        (404, "BadPath", ContentBad),
        (405, "MethodNotAllowed", ContentBad),
        (413, "PayloadTooLarge", ContentBad),
        (403, "BadCertificate", CredentialBad),
        (403, "BadCertificateEnvironment", CredentialBad),
        (403, "Forbidden", CredentialBad),
        (403, "InvalidProviderToken", CredentialBad),
        (403, "MissingProviderToken", CredentialBad),
        (403, "ExpiredProviderToken", CredentialBad),
        (403, "SomethingNew", CredentialBad),
        (429, "TooManyRequests", Throttled),
        (429, "TooManyProviderTokenUpdates", Throttled),
        (400, "IdleTimeout", Transient),
        (500, "InternalServerError", Transient),
        (503, "ServiceUnavailable", Transient),
        (503, "Shutdown", Transient),
        (400, "SomethingNew", Transient),
        (502, "", Transient),
    ],
)
def test_every_reason_has_its_outcome(status: int, reason: str, expected: type) -> None:
    outcome = Apns().interpret(response(status, {"reason": reason}))
    assert isinstance(outcome, expected)
    assert reason in getattr(outcome, "detail", "")


def test_the_table_has_no_reason_that_is_not_tested() -> None:
    (table,) = test_every_reason_has_its_outcome.pytestmark  # type: ignore[attr-defined]
    assert set(REASONS) <= {reason for _, reason, _ in table.args[1]}


def test_an_accepted_message_has_apples_id() -> None:
    assert Apns().interpret(response(200, apns_id=str(DELIVERY))) == Accepted(str(DELIVERY))


def test_a_dead_token_says_since_when() -> None:
    outcome = Apns().interpret(response(410, {"reason": "Unregistered", "timestamp": 1763895600000}))
    assert isinstance(outcome, AddressDead)
    assert outcome.since == datetime(2025, 11, 23, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", [10**30, -(10**18), 10**17])
def test_an_impossible_moment_of_death_is_left_out(timestamp: int) -> None:
    outcome = Apns().interpret(response(410, {"reason": "Unregistered", "timestamp": timestamp}))
    assert isinstance(outcome, AddressDead)
    assert outcome.since is None


def test_only_a_stale_token_asks_for_a_new_one() -> None:
    stale = Apns().interpret(response(403, {"reason": "ExpiredProviderToken"}))
    wrong = Apns().interpret(response(403, {"reason": "InvalidProviderToken"}))
    assert isinstance(stale, CredentialBad)
    assert isinstance(wrong, CredentialBad)
    assert (stale.stale_token, wrong.stale_token) == (True, False)


def test_apples_wish_for_patience_is_passed_on() -> None:
    outcome = Apns().interpret(response(429, {"reason": "TooManyRequests"}, retry_after="30"))
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == 30


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
@pytest.mark.parametrize(
    ("status", "expected"), [(400, Transient), (403, CredentialBad), (410, AddressDead), (502, Transient)]
)
def test_an_unreadable_answer_is_judged_by_its_status(status: int, expected: type, body: bytes) -> None:
    assert isinstance(Apns().interpret(response(status, body)), expected)


def test_the_delivery_id_is_a_uuid_as_apple_asks() -> None:
    assert UUID(compose().headers["apns-id"]) == DELIVERY
