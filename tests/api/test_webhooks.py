"""Providers call back: only a genuine call is kept, and what it says stands in the log afterwards."""

import base64
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.test import Client
from twilio.request_validator import RequestValidator

from accounts.models import Suppression
from notifications import receiving, vault
from notifications.clock import clock
from notifications.models import Delivery, DeliveryEvent, PendingReceipt, ProviderAccount
from tests.api.shop import DATA, jimin, shop
from tests.notifications.loglines import written

pytestmark = pytest.mark.django_db

AUTH_TOKEN = "b" * 32
WEBHOOK_KEY = "w" * 22
SIGNATURE_SECRET = "v" * 32
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.fixture(autouse=True)
def _accounts() -> None:
    for name, provider, credentials in (
        ("sms-main", "twilio", {"account_sid": "AC1", "auth_token": AUTH_TOKEN}),
        ("mail-main", "sendgrid", {"api_key": "SG.x", "webhook_public_key": PUBLIC}),
        ("mandrill-main", "mandrill", {"api_key": "md-x", "webhook_key": WEBHOOK_KEY}),
        (
            "vonage-main",
            "vonage",
            {"api_key": "a1b2c3d4", "api_secret": "s3cret", "signature_secret": SIGNATURE_SECRET},
        ),
        ("push-main", "apns", {}),
    ):
        ProviderAccount.objects.create(name=name, provider=provider, credentials=vault.seal(credentials))


def sent(channel: str) -> UUID:
    """A delivery that a provider has accepted."""
    jimin()
    shop().post(
        "/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": [channel]}
    )
    Delivery.objects.update(state="sent", attempt=1)
    return Delivery.objects.get().pk


def applied(delivery_id: UUID) -> Delivery:
    """The delivery once a worker has been at the receipts."""
    receiving.apply(clock=clock.now)
    return Delivery.objects.get(pk=delivery_id)


def twilio(delivery_id: object, *, token: str = AUTH_TOKEN, account: str = "sms-main", **form: str) -> Any:
    """Twilio calls."""
    path = f"/v1/webhooks/{account}/{delivery_id}"
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"} | form
    signature = RequestValidator(token).compute_signature(settings.PUBLIC_URL + path, fields)
    return Client().post(
        path, urlencode(fields), "application/x-www-form-urlencoded", headers={"X-Twilio-Signature": signature}
    )


def sendgrid(*events: Any, key: Any = KEY, at: float | None = None, body: bytes | None = None) -> Any:
    """SendGrid calls."""
    content = json.dumps(events).encode() if body is None else body
    stamp = str(int(at or time.time()))
    signature = base64.b64encode(key.sign(stamp.encode() + content, ec.ECDSA(hashes.SHA256()))).decode()
    return Client().post(
        "/v1/webhooks/mail-main",
        content,
        "application/json",
        headers={
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        },
    )


def event(delivery_id: object, kind: str, **more: Any) -> dict[str, Any]:
    usual = {"event": kind, "timestamp": int(time.time()), "sg_event_id": f"e-{kind}"}
    return usual | {"bongsu_delivery_id": str(delivery_id)} | more


# --- Twilio --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("form", "state"),
    [
        ({"MessageStatus": "queued"}, "sent"),
        ({"MessageStatus": "sent"}, "sent"),
        ({"MessageStatus": "delivered"}, "delivered"),
        ({"MessageStatus": "undelivered", "ErrorCode": "30003"}, "failed"),
        ({"MessageStatus": "failed"}, "failed"),
        ({"MessageStatus": "no such status"}, "sent"),
    ],
)
def test_what_twilio_says_moves_the_delivery(form: dict[str, str], state: str) -> None:
    delivery_id = sent("sms")

    assert twilio(delivery_id, **form).status_code == 204
    assert applied(delivery_id).state == state


def test_twilios_stop_suppresses_the_number() -> None:
    delivery_id = sent("sms")

    twilio(delivery_id, MessageStatus="undelivered", ErrorCode="21610")
    applied(delivery_id)

    assert list(Suppression.objects.values_list("channel", "address", "cause")) == [("sms", "+821012345678", "stop")]


def test_a_call_that_twilio_repeats_is_one_event() -> None:
    delivery_id = sent("sms")

    assert [twilio(delivery_id).status_code for _ in range(3)] == [204, 204, 204]
    applied(delivery_id)

    assert DeliveryEvent.objects.of(delivery_id).count() == 1


# --- Mandrill ------------------------------------------------------------------------------------------
def mandrill(*events: Any, key: str = WEBHOOK_KEY) -> Any:
    """Mandrill calls."""
    path, content = "/v1/webhooks/mandrill-main", json.dumps(events)
    signed = f"{settings.PUBLIC_URL}{path}mandrill_events{content}"
    signature = base64.b64encode(hmac.digest(key.encode(), signed.encode(), "sha1")).decode()
    return Client().post(
        path,
        urlencode({"mandrill_events": content}),
        "application/x-www-form-urlencoded",
        headers={"X-Mandrill-Signature": signature},
    )


def news(delivery_id: object, kind: str, **more: Any) -> dict[str, Any]:
    message = {"metadata": {"bongsu_delivery_id": str(delivery_id)}} | more
    return {"event": kind, "ts": int(time.time()), "_id": "m1", "msg": message}


@pytest.mark.parametrize(
    ("kind", "more", "state", "cause"),
    [
        ("send", {}, "sent", None),
        ("delivered", {}, "delivered", None),
        ("deferral", {}, "sent", None),
        ("hard_bounce", {"diag": "550 no such user"}, "failed", "hard_bounce"),
        ("soft_bounce", {"diag": "mailbox full"}, "failed", None),
        ("reject", {"reject": {"reason": "hard-bounce"}}, "failed", "hard_bounce"),
        ("reject", {"reject": {"reason": "unsub"}}, "failed", "stop"),
        ("reject", {"reject": {"reason": "spam"}}, "failed", "complaint"),
        ("reject", {"reject": {"reason": "unsigned"}}, "failed", None),
        ("spam", {}, "sent", "complaint"),
        ("unsub", {}, "sent", "stop"),
    ],
)
def test_what_mandrill_says_moves_the_delivery_and_may_suppress_the_address(
    kind: str, more: dict[str, Any], state: str, cause: str | None
) -> None:
    delivery_id = sent("email")

    assert [mandrill(news(delivery_id, kind, **more)).status_code for _ in range(2)] == [204, 204]
    assert applied(delivery_id).state == state
    assert list(Suppression.objects.values_list("address", "cause")) == (
        [("jimin@example.com", cause)] if cause else []
    )


def test_a_call_in_mandrills_name_is_refused() -> None:
    assert mandrill(news(sent("email"), "hard_bounce"), key="another").status_code == 403
    assert not PendingReceipt.objects.exists()


# --- Vonage --------------------------------------------------------------------------------------------
def vonage(delivery_id: object, *, by: str = "json", secret: str = SIGNATURE_SECRET, **changes: str) -> Any:
    """Vonage calls, in one of the three formats that an account can choose."""
    fields = {"client-ref": str(delivery_id), "messageId": "0A1", "msisdn": "821012345678", "status": "delivered"}
    fields |= {"timestamp": str(int(time.time()))} | changes
    signed = "".join(f"&{name}={fields[name]}" for name in sorted(fields))
    fields["sig"] = hmac.new(secret.encode(), signed.encode(), "sha256").hexdigest().upper()
    path, form = "/v1/webhooks/vonage-main", urlencode(fields)
    match by:
        case "json":
            return Client().post(path, json.dumps(fields), "application/json")
        case "form":
            return Client().post(path, form, "application/x-www-form-urlencoded")
        case _:
            return Client().get(f"{path}?{form}")


@pytest.mark.parametrize("by", ["json", "form", "query"])
@pytest.mark.parametrize(
    ("status", "code", "state", "cause"),
    [
        ("accepted", "0", "sent", None),
        ("buffered", "0", "sent", None),
        ("delivered", "0", "delivered", None),
        ("expired", "2", "failed", None),
        ("failed", "3", "failed", "hard_bounce"),
        ("rejected", "9", "failed", "stop"),
        ("unknown", "1", "sent", None),
    ],
)
def test_what_vonage_says_moves_the_delivery_and_may_suppress_the_number(
    by: str, status: str, code: str, state: str, cause: str | None
) -> None:
    delivery_id = sent("sms")

    answers = [vonage(delivery_id, by=by, status=status, **{"err-code": code}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert applied(delivery_id).state == state
    assert list(Suppression.objects.values_list("address", "cause")) == ([("+821012345678", cause)] if cause else [])


@pytest.mark.parametrize("by", ["json", "form", "query"])
@pytest.mark.parametrize("wrong", [{"secret": "another"}, {"timestamp": "1700000000"}])
def test_a_call_in_vonages_name_or_an_old_one_is_refused(by: str, wrong: dict[str, str]) -> None:
    assert vonage(sent("sms"), by=by, **wrong).status_code == 403
    assert not PendingReceipt.objects.exists()


# --- SendGrid ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "more", "state", "cause"),
    [
        ("processed", {}, "sent", None),
        ("delivered", {}, "delivered", None),
        ("deferred", {}, "sent", None),
        ("bounce", {"type": "bounce", "reason": "550 no such user"}, "failed", "hard_bounce"),
        ("bounce", {"type": "blocked", "reason": "mailbox full"}, "failed", None),
        ("dropped", {"reason": "Bounced Address"}, "failed", "hard_bounce"),
        ("spamreport", {}, "sent", "complaint"),
        ("unsubscribe", {}, "sent", "stop"),
    ],
)
def test_what_sendgrid_says_moves_the_delivery_and_may_suppress_the_address(
    kind: str, more: dict[str, str], state: str, cause: str | None
) -> None:
    delivery_id = sent("email")

    assert sendgrid(event(delivery_id, kind, **more)).status_code == 204
    assert applied(delivery_id).state == state
    assert list(Suppression.objects.values_list("address", "cause")) == (
        [("jimin@example.com", cause)] if cause else []
    )


def test_after_a_bounce_nothing_more_is_sent_to_the_address() -> None:
    delivery_id = sent("email")
    sendgrid(event(delivery_id, "bounce", type="bounce"))
    applied(delivery_id)

    told = shop().post("/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA}).json()

    (fate,) = [fate for fate in told["recipients"] if fate["channel"] == "email"]
    assert (fate["decision"], fate["reason"]) == ("drop", "suppressed_address")


def test_an_event_that_is_none_of_ours_is_left_out_and_the_others_are_kept() -> None:
    delivery_id = sent("email")

    answer = sendgrid({"event": "delivered"}, 7, None, event("no id", "delivered"), event(delivery_id, "delivered"))

    assert answer.status_code == 204
    assert PendingReceipt.objects.count() == 1
    assert applied(delivery_id).state == "delivered"


# --- who is not believed -------------------------------------------------------------------------------
def test_a_wrong_signature_is_refused_and_nothing_is_kept() -> None:
    delivery_id = sent("sms")

    answers = [
        twilio(delivery_id, token="c" * 32),
        sendgrid(event(delivery_id, "delivered"), key=ec.generate_private_key(ec.SECP256R1())),
        sendgrid(event(delivery_id, "delivered"), at=time.time() - 301),
        Client().post(f"/v1/webhooks/sms-main/{delivery_id}", {"MessageStatus": "delivered"}),
        Client().post("/v1/webhooks/mail-main", "[]", "application/json"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert not PendingReceipt.objects.exists()


def test_a_call_for_one_delivery_proves_nothing_about_another() -> None:
    mine, other = sent("sms"), "01a2095a-18fd-7087-9d1e-c581d7aabb93"
    path = f"/v1/webhooks/sms-main/{other}"
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signature = RequestValidator(AUTH_TOKEN).compute_signature(settings.PUBLIC_URL + path, fields)

    answer = Client().post(
        f"/v1/webhooks/sms-main/{mine}",
        urlencode(fields),
        "application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("account", ["nobody", "push-main"])
def test_where_nobody_listens_there_is_nothing(account: str) -> None:
    assert twilio("01a2095a-18fd-7087-9d1e-c581d7aabb93", account=account).status_code == 404


def test_an_account_that_was_switched_off_takes_no_calls() -> None:
    ProviderAccount.objects.filter(name="sms-main").update(is_active=False)

    assert twilio("01a2095a-18fd-7087-9d1e-c581d7aabb93").status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[[[[", b"\xff\xfe", b"[" * 100_000, b'{"event": "delivered"}'])
def test_a_body_that_is_none_says_nothing_though_it_is_signed(body: bytes) -> None:
    with written() as log:
        answer = sendgrid(body=body)

    assert answer.status_code == 204
    assert not PendingReceipt.objects.exists()
    assert "Traceback" not in log.getvalue()


@pytest.mark.parametrize("path", ["sms-main", "mail-main", "vonage-main"])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"\xff\xfe\x00", 403), (b"a=b&" * 1000, 403), (b"%00=%00", 403), (b"x" * (1_048_576 + 1), 413)],
)
def test_what_a_stranger_sends_is_refused_without_a_traceback(path: str, body: bytes, status: int) -> None:
    with written() as log:
        answer = Client().post(f"/v1/webhooks/{path}", body, "application/x-www-form-urlencoded")

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert "Traceback" not in log.getvalue()


def test_an_address_is_tried_out_with_head_and_read_by_nobody() -> None:
    assert Client().head("/v1/webhooks/mail-main").status_code == 200
    assert {Client().get(f"/v1/webhooks/{name}-main").status_code for name in ("sms", "mail", "vonage")} == {403}
