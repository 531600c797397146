"""Providers call back: signed so that their own verifiers agree, in order, and again if nobody is at home."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.test import RequestFactory
from twilio.request_validator import RequestValidator

from notifications.providers.contract import Account, Callback, Forged
from notifications.providers.vonage.receipts import VonageReceipts
from tests.sandbox.called_back import Platform
from tests.sandbox.contracts import Contract
from tests.sandbox.world import Running, eventually


@pytest.fixture
def platform(sandbox: Running) -> Iterator[Platform]:
    platform = Platform()
    events = {f"{name}_events_url": f"/webhooks/{name}" for name in ("sendgrid", "mandrill")}
    changes = {"receipts": True, "platform_url": platform.url, **events}
    assert sandbox.admin("PUT", "settings", {**changes, "receipt_delay_ms": 30}).status == 200
    yield platform
    platform.close()


# --- Twilio --------------------------------------------------------------------------------------------
def test_a_text_message_is_followed_from_queued_to_delivered(sandbox: Running, platform: Platform) -> None:
    callback = f"{platform.url}/webhooks/twilio/{uuid4()}?a=b"
    sid = sandbox.send(sandbox.twilio(callback=callback)).json()["sid"]
    eventually(lambda: len(platform.calls) == 3)
    assert [form["MessageStatus"] for form in platform.forms()] == ["queued", "sent", "delivered"]
    assert {form["MessageSid"] for form in platform.forms()} == {sid}


def test_twilios_own_verifier_accepts_the_signature(sandbox: Running, platform: Platform) -> None:
    sandbox.send(sandbox.twilio(callback=f"{platform.url}/webhooks/twilio/{uuid4()}?a=b"))
    eventually(lambda: platform.calls)
    url, headers, body = platform.calls[0]
    validator = RequestValidator(sandbox.credentials["twilio"]["auth_token"])
    signature = headers["x-twilio-signature"]
    assert validator.validate(url, dict(parse_qsl(body.decode())), signature)
    assert not validator.validate(url, {**dict(parse_qsl(body.decode())), "MessageStatus": "failed"}, signature)


@pytest.mark.parametrize("code", [30003, 30004, 30005, 30006, 30007, 30008])
def test_a_number_can_fail_later(sandbox: Running, platform: Platform, code: int) -> None:
    to = f"+1500555{code - 30000 + 3000}"
    sandbox.send(sandbox.twilio(callback=f"{platform.url}/webhooks/twilio/{uuid4()}", To=to))
    eventually(lambda: len(platform.calls) == 3)
    last = platform.forms()[-1]
    assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", str(code))


# --- SendGrid ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("domain", "events"),
    [
        ("people.example", ["processed", "delivered"]),
        ("bounce.example", ["processed", "bounce"]),
        ("blocked.example", ["processed", "bounce"]),
        ("dropped.example", ["dropped"]),
        ("deferred.example", ["processed", "deferred", "delivered"]),
        ("spam.example", ["processed", "delivered", "spamreport"]),
        ("unsubscribe.example", ["processed", "delivered", "unsubscribe"]),
    ],
)
def test_what_becomes_of_a_mail_depends_on_its_domain(
    sandbox: Running, platform: Platform, domain: str, events: list[str]
) -> None:
    delivery_id = str(uuid4())
    said = sandbox.send(sandbox.sendgrid(sandbox.mail(delivery_id, to=f"kim@{domain}")))
    eventually(lambda: len(platform.events()) == len(events))
    news = platform.events()
    assert [event["event"] for event in news] == events
    assert {event["bongsu_delivery_id"] for event in news} == {delivery_id}
    assert all(event["sg_message_id"].startswith(said.headers["x-message-id"]) for event in news)
    assert len({event["sg_event_id"] for event in news}) == len(events)
    assert all(isinstance(event["timestamp"], int) for event in news)


def test_a_batch_is_signed_with_the_webhook_key(sandbox: Running, platform: Platform) -> None:
    sandbox.send(sandbox.sendgrid(sandbox.mail()))
    eventually(lambda: platform.calls)
    _, headers, body = platform.calls[0]
    key = load_der_public_key(base64.b64decode(sandbox.credentials["sendgrid"]["webhook_public_key"]))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signature = base64.b64decode(headers["x-twilio-email-event-webhook-signature"])
    timestamp = headers["x-twilio-email-event-webhook-timestamp"]
    key.verify(signature, timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))


def test_news_of_one_moment_travels_together(sandbox: Running, platform: Platform) -> None:
    deliveries = [str(uuid4()) for _ in range(100)]
    sandbox.send(sandbox.sendgrid(sandbox.mail(*deliveries)))
    eventually(lambda: len(platform.events()) == 200)
    assert len(platform.calls) <= 4


# --- Mandrill ------------------------------------------------------------------------------------------
def mandrill_events(platform: Platform) -> list[dict[str, Any]]:
    return [event for form in platform.forms() for event in json.loads(form["mandrill_events"])]


@pytest.mark.parametrize(
    ("domain", "events"),
    [
        ("people.example", ["send", "delivered"]),
        ("bounce.example", ["send", "hard_bounce"]),
        ("blocked.example", ["send", "soft_bounce"]),
        ("deferred.example", ["send", "deferral", "delivered"]),
        ("opened.example", ["send", "delivered", "open", "click"]),
        ("spam.example", ["send", "delivered", "spam"]),
        ("unsubscribe.example", ["send", "delivered", "unsub"]),
    ],
)
def test_what_becomes_of_a_mail_at_mandrill_depends_on_its_domain(
    sandbox: Running, platform: Platform, domain: str, events: list[str]
) -> None:
    delivery_id = str(uuid4())
    said = sandbox.send(sandbox.mandrill(sandbox.message(delivery_id, to=f"kim@{domain}")))
    eventually(lambda: len(mandrill_events(platform)) == len(events))
    news = mandrill_events(platform)
    assert [event["event"] for event in news] == events
    assert {event["msg"]["metadata"]["bongsu_delivery_id"] for event in news} == {delivery_id}
    assert {event["_id"] for event in news} == {said.json()[0]["_id"]}
    assert all(isinstance(event["ts"], int) for event in news)


def test_whom_mandrill_rejects_in_the_background_is_told_later(sandbox: Running, platform: Platform) -> None:
    message = sandbox.message(to="kim@rejected-unsub.example")
    assert sandbox.send(sandbox.mandrill(message, **{"async": True})).json()[0]["status"] == "queued"
    eventually(lambda: mandrill_events(platform))
    [event] = mandrill_events(platform)
    assert (event["event"], event["msg"]["state"], event["msg"]["reject"]) == (
        "reject", "rejected", {"reason": "unsub"}
    )  # fmt: skip


def test_anymails_own_verifier_accepts_mandrills_signature(sandbox: Running, platform: Platform) -> None:
    sandbox.send(sandbox.mandrill(sandbox.message()))
    eventually(lambda: platform.calls)
    url, headers, body = platform.calls[0]
    key = sandbox.credentials["mandrill"]["webhook_key"]
    view = MandrillCombinedWebhookView(webhook_key=key, webhook_url=url)
    request = RequestFactory().post(
        "/",
        body,
        "application/x-www-form-urlencoded",
        headers={"X-Mandrill-Signature": headers["x-mandrill-signature"]},
    )
    view.validate_request(request)


# --- Vonage --------------------------------------------------------------------------------------------
def vonage_receipts(platform: Platform) -> list[dict[str, str]]:
    return [json.loads(body) for _, _, body in platform.calls]


@pytest.mark.parametrize(
    ("to", "news"),
    [
        ("821012345678", [("accepted", "0"), ("delivered", "0")]),
        ("447700900103", [("accepted", "0"), ("failed", "3")]),
        ("447700900199", [("accepted", "0"), ("failed", "99")]),
        ("447700900301", [("accepted", "0"), ("expired", "2")]),
        ("447700900302", [("accepted", "0"), ("rejected", "1")]),
        ("447700900303", [("accepted", "0"), ("unknown", "1")]),
        ("447700900304", [("accepted", "0"), ("buffered", "0"), ("delivered", "0")]),
    ],
)
def test_what_becomes_of_a_text_message_at_vonage_depends_on_its_number(
    sandbox: Running, platform: Platform, vonage_contract: Contract, to: str, news: list[tuple[str, str]]
) -> None:
    delivery_id = str(uuid4())
    callback = f"{platform.url}/webhooks/vonage"
    said = sandbox.send(sandbox.vonage(delivery_id, to=to, callback=callback)).json()
    eventually(lambda: len(platform.calls) == len(news))
    receipts = vonage_receipts(platform)
    # steps that follow each other closely may be told in any order
    assert sorted((receipt["status"], receipt["err-code"]) for receipt in receipts) == sorted(news)
    assert {receipt["client-ref"] for receipt in receipts} == {delivery_id}
    assert {receipt["messageId"] for receipt in receipts} == {said["messages"][0]["message-id"]}
    for receipt in receipts:
        vonage_contract.check(receipt, "DeliveryReceipt")


def test_every_part_that_vonage_took_has_receipts_of_its_own(sandbox: Running, platform: Platform) -> None:
    callback = f"{platform.url}/webhooks/vonage"
    said = sandbox.send(sandbox.vonage(text="가" * 200, callback=callback)).json()
    sandbox.send(sandbox.vonage(text="가" * 200, callback=callback, to="447700900209"))
    eventually(lambda: len(platform.calls) == 2 * 3 + 2)
    delivered = [receipt for receipt in vonage_receipts(platform) if receipt["status"] == "delivered"]
    assert {part["message-id"] for part in said["messages"]} < {receipt["messageId"] for receipt in delivered}


def test_vonages_receipts_are_signed_as_we_verify_them(sandbox: Running, platform: Platform) -> None:
    sandbox.send(sandbox.vonage(callback=f"{platform.url}/webhooks/vonage"))
    eventually(lambda: platform.calls)
    url, headers, body = platform.calls[0]
    account = Account("vonage", "", sandbox.credentials["vonage"])
    now = datetime.now(tz=UTC)
    VonageReceipts().verify(Callback(url, headers, body, now), account)
    with pytest.raises(Forged):
        VonageReceipts().verify(Callback(url, headers, body.replace(b"accepted", b"rejected"), now), account)


def test_who_wants_no_receipts_of_vonages_gets_none(sandbox: Running, platform: Platform) -> None:
    callback = f"{platform.url}/webhooks/vonage"
    sandbox.send(sandbox.vonage(callback=callback, **{"status-report-req": "false"}))
    sandbox.send(sandbox.vonage())
    assert sandbox.admin("GET", "counts").json()["receipts"]["waiting"] == 0


# --- what people answer -------------------------------------------------------------------------------------
STOP = {"from": "+821012345678", "text": "수신거부"}


@pytest.fixture
def heard(sandbox: Running, platform: Platform) -> Platform:
    """A platform that is told what people answer."""
    urls = {f"{name}_inbound_url": f"/webhooks/{name}-live/inbound" for name in ("twilio", "vonage")}
    assert sandbox.admin("PUT", "settings", urls).status == 200
    return platform


def test_twilio_tells_what_a_person_answers_and_signs_it(sandbox: Running, heard: Platform) -> None:
    told = sandbox.admin("POST", "inbound", STOP | {"provider": "twilio"})
    assert told.status == 200
    eventually(lambda: heard.calls)
    url, headers, body = heard.calls[0]
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    assert url.endswith("/webhooks/twilio-live/inbound")
    assert form == told.json()
    assert (form["From"], form["Body"], form["SmsStatus"]) == ("+821012345678", "수신거부", "received")
    assert "OptOutType" not in form
    validator = RequestValidator(sandbox.credentials["twilio"]["auth_token"])
    assert validator.validate(url, form, headers["x-twilio-signature"])


@pytest.mark.parametrize(("text", "kind"), [("Stop", "STOP"), ("start", "START"), ("HELP", "HELP"), ("hello", None)])
def test_a_service_that_knows_keywords_says_what_it_made_of_them(
    sandbox: Running, heard: Platform, text: str, kind: str | None
) -> None:
    told = sandbox.admin("POST", "inbound", STOP | {"provider": "twilio", "text": text, "advanced_opt_out": True})
    assert told.json().get("OptOutType") == kind


def test_vonage_tells_what_a_person_answers_as_its_contract_says(
    sandbox: Running, heard: Platform, vonage_contract: Contract
) -> None:
    sandbox.admin("POST", "inbound", STOP | {"provider": "vonage"})
    eventually(lambda: heard.calls)
    url, _, body = heard.calls[0]
    message = json.loads(body)
    assert url.endswith("/webhooks/vonage-live/inbound")
    assert (message["msisdn"], message["text"], message["type"]) == ("821012345678", "수신거부", "unicode")
    vonage_contract.check(message, "InboundMessage")


@pytest.mark.parametrize(
    ("said", "status", "word"),
    [
        ({"provider": "sendgrid"}, 422, "twilio and vonage"),
        ({"provider": "nobody"}, 422, "twilio and vonage"),
        ({"from": "someone"}, 422, "from"),
        ({"text": ""}, 422, "text"),
        ({"txt": "STOP"}, 422, "txt"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(
    sandbox: Running, heard: Platform, said: dict[str, str], status: int, word: str
) -> None:
    refused = sandbox.admin("POST", "inbound", STOP | {"provider": "twilio"} | said)
    assert refused.status == status
    assert word in refused.json()["error"]
    assert heard.calls == []


def test_without_an_address_nobody_is_told_what_a_person_answers(sandbox: Running) -> None:
    refused = sandbox.admin("POST", "inbound", STOP | {"provider": "twilio"})
    assert (refused.status, "twilio_inbound_url" in refused.json()["error"]) == (422, True)


# --- all of them ----------------------------------------------------------------------------------------------
def test_a_busy_platform_is_called_again(sandbox: Running, platform: Platform) -> None:
    platform.busy = 1
    sandbox.send(sandbox.sendgrid(sandbox.mail()))
    eventually(lambda: len(platform.events()) == 2)


def test_nothing_is_sent_when_receipts_are_off(sandbox: Running, platform: Platform) -> None:
    sandbox.admin("PUT", "settings", {"receipts": False})
    sandbox.send(sandbox.twilio(callback=f"{platform.url}/webhooks/twilio/{uuid4()}"))
    assert sandbox.admin("GET", "counts").json()["receipts"]["waiting"] == 0


@pytest.mark.parametrize("settings", [{"receipt": True}, {"receipt_delay_ms": -1}, {"platform_url": "here"}])
def test_a_bad_setting_is_refused_and_nothing_changes(sandbox: Running, settings: dict[str, Any]) -> None:
    before = sandbox.admin("GET", "settings").json()
    assert sandbox.admin("PUT", "settings", settings).status == 422
    assert sandbox.admin("GET", "settings").json() == before
