"""People answer: STOP is heeded at once and START takes it back, and nothing else that they write is kept."""

import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client
from twilio.request_validator import RequestValidator

from accounts.models import ReceivedReply, Suppression
from notifications import vault
from notifications.meters import readings
from notifications.models import ProviderAccount
from tests.api.shop import DATA, jimin, shop

pytestmark = pytest.mark.django_db

AUTH_TOKEN = "b" * 32
SIGNATURE_SECRET = "v" * 32


@pytest.fixture(autouse=True)
def _accounts() -> None:
    vonage = {"api_key": "a1b2c3d4", "api_secret": "s3cret", "signature_secret": SIGNATURE_SECRET}
    for name, credentials in (("twilio", {"account_sid": "AC1", "auth_token": AUTH_TOKEN}), ("vonage", vonage)):
        ProviderAccount.objects.create(name=f"{name}-main", provider=name, credentials=vault.seal(credentials))


def answers_twilio(text: str, ref: str = "SM9", *, later: float = 0, token: str = AUTH_TOKEN) -> Any:
    """Twilio tells that Jimin sent a text message. It names no time."""
    path = "/v1/webhooks/twilio-main/inbound"
    fields = {"MessageSid": ref, "SmsStatus": "received", "From": "+821012345678", "Body": text}
    signature = RequestValidator(token).compute_signature(settings.PUBLIC_URL + path, fields)
    return Client().post(
        path, urlencode(fields), "application/x-www-form-urlencoded", headers={"X-Twilio-Signature": signature}
    )


def answers_vonage(text: str, ref: str = "0B7", *, later: float = 0, secret: str = SIGNATURE_SECRET) -> Any:
    """Vonage tells it, `later` than now."""
    fields = {"msisdn": "821012345678", "messageId": ref, "text": text, "type": "text", "to": "447700900999"}
    fields["timestamp"] = str(int(time.time() + later))
    signed = "".join(f"&{name}={fields[name]}" for name in sorted(fields))
    fields["sig"] = hmac.new(secret.encode(), signed.encode(), "sha256").hexdigest()
    return Client().post("/v1/webhooks/vonage-main/inbound", json.dumps(fields), "application/json")


ANSWERS = pytest.mark.parametrize("answers", [answers_twilio, answers_vonage])


def told_by_sms() -> tuple[str, str | None]:
    """What becomes of a text message to Jimin."""
    told = shop().post(
        "/v1/notifications", {"template": "restock", "recipients": ["jimin"], "data": DATA, "channels": ["sms"]}
    )
    (fate,) = told.json()["recipients"]
    return fate["decision"], fate.get("reason")


@ANSWERS
@pytest.mark.parametrize(("stop", "start"), [("STOP", "START"), ("수신거부", "수신동의"), ("Stop all.", "unstop")])
def test_who_answers_stop_gets_no_more_text_messages_until_start(answers: Any, stop: str, start: str) -> None:
    jimin()

    assert answers(stop, "first").status_code == 200
    assert told_by_sms() == ("drop", "suppressed_address")
    assert answers(start, "second", later=2).status_code == 200
    assert told_by_sms()[0] == "send"
    # the first call again: it was heeded, and the person has said otherwise since
    assert answers(stop, "first", later=4).status_code == 200
    assert told_by_sms()[0] == "send"


@ANSWERS
def test_an_answer_is_met_with_silence(answers: Any) -> None:
    answer = answers("HELP")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    assert answer.content.endswith(b"<Response/>")


@ANSWERS
def test_what_a_person_writes_besides_keywords_is_kept_nowhere(answers: Any) -> None:
    assert answers("my password is 1234").status_code == 200

    assert not ReceivedReply.objects.exists()
    assert not Suppression.objects.exists()


def counted(name: str) -> int:
    return sum(amount for (counter, *_), amount in readings().items() if counter == name)


@ANSWERS
def test_keywords_are_counted_once_each(answers: Any) -> None:
    before = counted("replies")

    for _ in range(3):
        answers("STOP")

    assert counted("replies") == before + 1


@pytest.mark.parametrize(
    "forged",
    [
        lambda: answers_twilio("STOP", token="c" * 32),
        lambda: answers_vonage("STOP", secret="another"),
        lambda: answers_vonage("STOP", later=-301),
        lambda: Client().get("/v1/webhooks/twilio-main/inbound"),
        lambda: Client().get("/v1/webhooks/vonage-main/inbound"),
    ],
)
def test_an_answer_in_a_persons_name_is_refused_counted_and_kept_nowhere(forged: Callable[[], Any]) -> None:
    before = counted("forged")

    assert forged().status_code == 403

    assert counted("forged") == before + 1
    assert not ReceivedReply.objects.exists()
    assert not Suppression.objects.exists()


def test_nobody_listens_where_there_is_no_account() -> None:
    assert Client().post("/v1/webhooks/nobody/inbound").status_code == 404


def test_an_address_for_answers_is_tried_out_with_head() -> None:
    assert Client().head("/v1/webhooks/twilio-main/inbound").status_code == 200
