import json
from datetime import datetime, timedelta
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

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
    Transient,
    Unsendable,
)
from notifications.providers.webpush.encryption import PLAIN_LIMIT, Fresh
from notifications.providers.webpush.send import ERRNOS, REASONS, STATUSES, WebPush
from notifications.vocabulary import Urgency
from templates_app.content import PushText, SmsText
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, message, pem, response
from tests.providers.webpush.rfc8291 import AS_PRIVATE, AUTH, ENDPOINT, SALT, UA_PRIVATE, UA_PUBLIC
from tests.providers.webpush.test_encryption import decoded, scalar
from tests.providers.webpush.test_vapid import claims, parts

KEY = ec.generate_private_key(ec.SECP256R1())
ACCOUNT = Account("browsers", "", {"vapid_private_key": pem(KEY)}, {"subject": "mailto:push@example.com"})
PLAIN = PushText("재입고", "상품이 재입고되었습니다.")


def address(endpoint: str = ENDPOINT, p256dh: str = UA_PUBLIC, auth: str = AUTH) -> str:
    return json.dumps({"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}})


def nobody(_request: Request) -> Exchange:
    raise AssertionError("tokens are signed here")


def compose(text: PushText = PLAIN, to: str = "", account: Account = ACCOUNT, **overrides: object) -> Request:
    return WebPush().compose(message(text, to or address(), **overrides), account, None)


def read(request: Request) -> dict[str, Any]:
    """What the service worker gets, decrypted by an implementation that is not ours."""
    plain = http_ece.decrypt(request.body, private_key=scalar(UA_PRIVATE), auth_secret=decoded(AUTH))
    found: dict[str, Any] = json.loads(plain)
    return found


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_goes_to_the_endpoint_of_its_subscription_encrypted() -> None:
    request = compose()
    assert (request.method, request.url, request.public_only) == ("POST", ENDPOINT, True)
    headers = dict(request.headers)
    assert claims(headers.pop("authorization"))["aud"] == "https://push.example.net"
    assert headers == {
        "content-type": "application/octet-stream",
        "content-encoding": "aes128gcm",
        "ttl": str(28 * 86_400),
        "urgency": "normal",
    }
    assert read(request) == {"title": PLAIN.title, "body": PLAIN.body, "delivery_id": str(DELIVERY)}


def test_everything_a_template_can_say_reaches_the_service_worker() -> None:
    text = PushText("t", "b", image="https://x/i.png", link="https://x/item/1", sound="ping", collapse_key="item-1")
    request = compose(text, data={"item": "1"})
    assert request.headers["topic"] == "item-1"
    assert read(request) == {
        "title": "t",
        "body": "b",
        "image": "https://x/i.png",
        "link": "https://x/item/1",
        "tag": "item-1",
        "data": {"item": "1"},
        "delivery_id": str(DELIVERY),
    }


def test_only_key_and_salt_are_drawn() -> None:
    drawn = Fresh(scalar(AS_PRIVATE), decoded(SALT))
    first, second = (WebPush(lambda: drawn).compose(message(PLAIN, address()), ACCOUNT, None) for _ in range(2))
    assert first == second
    assert compose().body != compose().body


@pytest.mark.parametrize(
    ("urgency", "word"), [(Urgency.CRITICAL, "high"), (Urgency.NORMAL, "normal"), (Urgency.BULK, "low")]
)
def test_a_device_on_battery_learns_how_urgent_it_is(urgency: Urgency, word: str) -> None:
    assert compose(urgency=urgency).headers["urgency"] == word


@pytest.mark.parametrize(
    ("expires_at", "ttl"),
    [
        (None, 28 * 86_400),
        (AT + timedelta(hours=1), 3600),
        (AT + timedelta(days=90), 28 * 86_400),
        (AT + timedelta(milliseconds=900), 0),
        (AT - timedelta(seconds=5), 0),
    ],
)
def test_a_push_service_keeps_a_message_until_it_expires(expires_at: datetime | None, ttl: int) -> None:
    assert compose(expires_at=expires_at).headers["ttl"] == str(ttl)


@pytest.mark.parametrize("key", ["k" * 33, "재입고-1", "order/7", "a b", "a\r\nx-evil: yes"])
def test_a_collapse_key_that_is_no_topic_becomes_another_that_is_as_unique(key: str) -> None:
    topic = compose(PushText("t", "b", collapse_key=key)).headers["topic"]
    assert len(topic) == 32
    assert topic.replace("-", "").replace("_", "").isalnum()
    assert topic != compose(PushText("t", "b", collapse_key=key + "x")).headers["topic"]


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", "https://updates.push.services.mozilla.com"),
        ("https://push.example.net:8443/a?b=c", "https://push.example.net:8443"),
    ],
)
def test_a_token_is_for_the_origin_of_the_endpoint(endpoint: str, origin: str) -> None:
    token, _ = parts(compose(to=address(endpoint)).headers["authorization"])
    payload = json.loads(decoded(token.split(".")[1]))
    assert payload["aud"] == origin


def test_a_message_fills_the_body_and_no_more() -> None:
    frame = len(json.dumps({"title": "", "body": "", "delivery_id": str(DELIVERY)}, separators=(",", ":"))) + 1
    fits = compose(PushText("t", "b" * (PLAIN_LIMIT - frame)))
    assert len(fits.body) == 4096
    with pytest.raises(Unsendable) as refused:
        compose(PushText("t", "b" * (PLAIN_LIMIT - frame + 1)))
    assert refused.value.outcome == ContentBad(f"the message has {PLAIN_LIMIT + 1} bytes; browsers take {PLAIN_LIMIT}")


@pytest.mark.parametrize(
    "to",
    [
        "not a subscription", "{}", "[" * 5000, '{"endpoint": "https://x/"}', address(p256dh="AAAA"),
        address(auth="§§§"), address("http://push.example.net/a"), address("file:///etc/passwd"), "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_subscription_is_a_dead_address_and_no_request(to: str) -> None:
    with pytest.raises(Unsendable) as refused:
        compose(to=to)
    assert isinstance(refused.value.outcome, AddressDead)


@pytest.mark.parametrize(
    ("endpoint", "goes"),
    [
        ("https://localhost:1234/webpush/push/jimin", True),
        ("https://push.example.net/a", False),
        ("https://localhost:12345/webpush/push/jimin", False),
        ("https://localhost:1234/webpushy", False),
    ],
)
def test_an_account_with_an_endpoint_reaches_nobody_elsewhere(endpoint: str, goes: bool) -> None:
    sandbox = Account("test", "https://localhost:1234/webpush", ACCOUNT.credentials, ACCOUNT.settings)
    if goes:
        assert compose(to=address(endpoint), account=sandbox).url == endpoint
        return
    with pytest.raises(Unsendable) as refused:
        compose(to=address(endpoint), account=sandbox)
    assert isinstance(refused.value.outcome, ContentBad)


def test_only_a_push_can_be_sent() -> None:
    with pytest.raises(TypeError):
        WebPush().compose(message(SmsText("안녕하세요"), address()), ACCOUNT, None)


# --- who we are --------------------------------------------------------------------------------------
def account(key: str = "", subject: str = "mailto:push@example.com") -> Account:
    return Account("browsers", "", {"vapid_private_key": key or pem(KEY)}, {"subject": subject})


@pytest.mark.parametrize(
    "subject",
    ["mailto:push@example.com", "mailto:a+b@sub.example.co.kr", "https://example.com", "https://a.kr/contact"],
)
def test_a_contact_that_services_believe_passes(subject: str) -> None:
    WebPush().check(account(subject=subject))


@pytest.mark.parametrize(
    "subject",
    [
        "push@example.com", "mailto: push@example.com", "mailto:<push@example.com>", "mailto:push@localhost", "mailto:",
        "http://example.com", "https://localhost", "https://example", "tel:+821012345678", "mailto:a@b@example.com",
    ],
)  # fmt: skip
def test_a_contact_that_apple_would_refuse_is_refused_here(subject: str) -> None:
    with pytest.raises(BadAccount, match="subject must be mailto: with an address"):
        WebPush().check(account(subject=subject))


@pytest.mark.parametrize("key", ["nonsense", "AAAA", pem(ec.generate_private_key(ec.SECP384R1()))])
def test_a_key_that_cannot_sign_is_told_so(key: str) -> None:
    with pytest.raises(BadAccount, match="not a readable P-256 key"):
        WebPush().check(account(key))
    with pytest.raises(BadAccount, match="not a readable P-256 key"):
        compose(account=account(key))


@pytest.mark.parametrize("lacking", [Account("b", "", {}, ACCOUNT.settings), Account("b", "", ACCOUNT.credentials, {})])
def test_an_account_must_be_whole(lacking: Account) -> None:
    with pytest.raises(BadAccount, match="lacks"):
        WebPush().check(lacking)
    with pytest.raises(BadAccount, match="lacks"):
        compose(account=lacking)


def test_no_token_is_shared_because_each_push_service_has_its_own() -> None:
    provider: Any = WebPush()
    assert provider.authorise(ACCOUNT, AT, nobody) is None


# --- what an answer means ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "errno", "expected"),
    [
        (400, 101, ContentBad),
        (404, 102, AddressDead),
        (410, 103, AddressDead),
        (413, 104, ContentBad),
        (410, 105, AddressDead),
        (410, 106, AddressDead),
        (400, 108, ContentBad),
        (401, 109, CredentialBad),
        (400, 110, ContentBad),
        (400, 111, ContentBad),
        (400, 112, ContentBad),
        (400, 113, ContentBad),
        (429, 201, Throttled),
        (503, 201, Transient),
        (503, 202, Transient),
        (502, 900, Transient),
        (502, 901, Transient),
        (502, 902, Transient),
        (502, 903, Transient),
        (500, 999, Transient),
        (500, 777, Transient),
        (400, 777, ContentBad),
    ],
)
def test_every_number_of_mozillas_has_its_outcome(status: int, errno: int, expected: type) -> None:
    body = {"code": status, "errno": errno, "error": "…", "message": "…", "more_info": "…"}
    assert isinstance(WebPush().interpret(response(status, body)), expected)


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (403, "BadJwtToken", CredentialBad),
        (400, "VapidPkHashMismatch", CredentialBad),
        (400, "SomethingNew", ContentBad),
        (410, "Unregistered", AddressDead),
    ],
)
def test_apples_words_have_their_outcomes(status: int, reason: str, expected: type) -> None:
    assert isinstance(WebPush().interpret(response(status, {"reason": reason})), expected)


@pytest.mark.parametrize("body", [b"", *HOSTILE_BODIES], ids=range(len(HOSTILE_BODIES) + 1))
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, ContentBad),
        (401, CredentialBad),
        (403, CredentialBad),
        (404, AddressDead),
        (406, Throttled),
        (410, AddressDead),
        (413, ContentBad),
        (415, ContentBad),
        (429, Throttled),
        (500, Transient),
        (502, Transient),
        (503, Transient),
        (301, Transient),
        (307, Transient),
        (405, Transient),
        (418, Transient),
    ],
)
def test_without_a_word_the_status_decides(status: int, expected: type, body: bytes) -> None:
    assert isinstance(WebPush().interpret(response(status, body)), expected)


def test_the_tables_have_no_line_that_is_not_tested() -> None:
    (numbers,) = test_every_number_of_mozillas_has_its_outcome.pytestmark  # type: ignore[attr-defined]
    (words,) = test_apples_words_have_their_outcomes.pytestmark  # type: ignore[attr-defined]
    statuses, _ = test_without_a_word_the_status_decides.pytestmark  # type: ignore[attr-defined]
    assert set(ERRNOS) <= {errno for _, errno, _ in numbers.args[1]}
    assert set(REASONS) <= {reason for _, reason, _ in words.args[1]}
    assert set(STATUSES) <= {status for status, _ in statuses.args[1]}


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_message_that_was_taken_has_the_services_address_for_it(status: int) -> None:
    ref = "https://push.example.net/message/qDIYHNcfAIPP_5ITvURr-d6BGt"
    assert WebPush().interpret(response(status, location=ref)) == Accepted(ref)
    assert WebPush().interpret(response(status)) == Accepted()


@pytest.mark.parametrize(("status", "expected"), [(429, Throttled), (406, Throttled), (503, Transient)])
def test_the_services_wish_for_patience_is_passed_on(status: int, expected: type) -> None:
    outcome = WebPush().interpret(response(status, {"errno": 201}, retry_after="30"))
    assert isinstance(outcome, expected)
    assert isinstance(outcome, Throttled | Transient)
    assert outcome.retry_after == 30


def test_a_detail_never_holds_what_the_other_side_wrote() -> None:
    outcome = WebPush().interpret(response(400, {"errno": 110, "reason": "evil", "message": "evil"}))
    assert outcome == ContentBad("400, errno 110: crypto keys are not valid")
