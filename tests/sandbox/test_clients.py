"""The providers' own clients, and those that many use, pointed at the sandbox: they cannot tell the difference."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import google_auth_httplib2
import httplib2
import pytest
from anymail.backends.mandrill import EmailBackend as MandrillBackend
from anymail.backends.sendgrid import EmailBackend as SendGridBackend
from anymail.exceptions import AnymailRequestsAPIError, AnymailWebhookValidationFailure
from anymail.message import AnymailMessage
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from django.test import RequestFactory
from google.oauth2 import service_account
from googleapiclient import discovery
from googleapiclient.errors import HttpError
from python_http_client.exceptions import UnauthorizedError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.mail import Mail
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client as Twilio
from vonage_http_client import Auth, HttpClient, HttpClientOptions
from vonage_sms import Sms, SmsMessage
from vonage_sms.errors import SmsError

from tests.sandbox.called_back import Platform
from tests.sandbox.world import Running, eventually

KOREAN = "[봉수] 재입고되었습니다 & 기다립니다 = 50%"


@pytest.fixture(autouse=True)
def _trusts_the_sandbox(sandbox: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that a client must be told besides the address."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, sandbox.state["ca_file"])


@pytest.fixture
def platform(sandbox: Running) -> Iterator[Platform]:
    """Somebody who is called back, at one address for everything."""
    platform = Platform()
    urls = {f"{name}_events_url": f"/webhooks/{name}" for name in ("sendgrid", "mandrill")}
    urls |= {f"{name}_inbound_url": f"/webhooks/{name}/inbound" for name in ("twilio", "vonage")}
    sandbox.admin("PUT", "settings", {"receipts": True, "platform_url": platform.url, "receipt_delay_ms": 10, **urls})
    yield platform
    platform.close()


def accepted(sandbox: Running, provider: str) -> int:
    counts = sandbox.admin("GET", "counts").json()["providers"]
    return int(counts[provider]["accepted"]) if provider in counts else 0


# --- twilio --------------------------------------------------------------------------------------------
def twilio(sandbox: Running, token: str = "") -> Twilio:
    account = sandbox.credentials["twilio"]
    client = Twilio(account["account_sid"], token or account["auth_token"])
    client.api.base_url = account["endpoint"]
    return client


def test_twilios_client_sends_a_message(sandbox: Running) -> None:
    sender = sandbox.credentials["twilio"]["from_number"]

    made = twilio(sandbox).messages.create(to="+821012345678", from_=sender, body=KOREAN, validity_period=3600)

    assert (made.status, made.body, made.error_code, made.num_segments) == ("queued", KOREAN, None, "1")
    assert made.sid.startswith("SM")
    assert made.date_created is not None
    assert accepted(sandbox, "twilio") == 1


def test_twilios_client_reads_a_refusal(sandbox: Running) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio(sandbox).messages.create(to="+15005550004", from_="+15005550006", body="x")
    assert (refused.value.status, refused.value.code) == (400, 21610)
    with pytest.raises(TwilioRestException) as stranger:
        twilio(sandbox, token="0" * 32).messages.create(to="+821012345678", from_="+15005550006", body="x")
    assert (stranger.value.status, stranger.value.code) == (401, 20003)


def test_twilios_validator_accepts_statuses_and_answers(sandbox: Running, platform: Platform) -> None:
    sender = sandbox.credentials["twilio"]["from_number"]
    callback = f"{platform.url}/webhooks/twilio/42?a=b"
    twilio(sandbox).messages.create(to="+821012345678", from_=sender, body=KOREAN, status_callback=callback)
    sandbox.admin("POST", "inbound", {"provider": "twilio", "from": "+821012345678", "text": "수신거부"})
    eventually(lambda: len(platform.calls) == 4)

    validator = RequestValidator(sandbox.credentials["twilio"]["auth_token"])
    for (url, headers, _), form in zip(platform.calls, platform.forms(), strict=True):
        assert validator.validate(url, form, headers["x-twilio-signature"])
        assert not validator.validate(url, form | {"From": "+821087654321"}, headers["x-twilio-signature"])


# --- vonage --------------------------------------------------------------------------------------------
def vonage(sandbox: Running, **changes: Any) -> Sms:
    account = sandbox.credentials["vonage"]
    parts = urlsplit(account["endpoint"])
    auth = Auth(**({"api_key": account["api_key"], "api_secret": account["api_secret"]} | changes))
    return Sms(HttpClient(auth, HttpClientOptions(rest_host=parts.netloc + parts.path)))


def text(sandbox: Running, **changes: Any) -> SmsMessage:
    sender = sandbox.credentials["vonage"]["from_number"]
    return SmsMessage(**({"to": "821012345678", "from_": sender, "text": KOREAN, "type": "unicode"} | changes))


def test_vonages_client_sends_a_message(sandbox: Running) -> None:
    said = vonage(sandbox).send(text(sandbox, client_ref="ours", text="가" * 71))

    assert (said.message_count, len(said.messages)) == ("2", 2)
    assert {part.client_ref for part in said.messages} == {"ours"}
    assert accepted(sandbox, "vonage") == 1


def test_vonages_client_reads_a_refusal(sandbox: Running) -> None:
    with pytest.raises(SmsError, match="error code 7"):
        vonage(sandbox).send(text(sandbox, to="447700900007"))
    with pytest.raises(SmsError, match="error code 4"):
        vonage(sandbox, api_secret="wrong").send(text(sandbox))


def test_vonages_verifier_accepts_receipts_and_answers(sandbox: Running, platform: Platform) -> None:
    vonage(sandbox).send(text(sandbox, client_ref="a&b=c", callback=f"{platform.url}/webhooks/vonage"))
    sandbox.admin("POST", "inbound", {"provider": "vonage", "from": "+821012345678", "text": "R&D = 수신거부?"})
    eventually(lambda: len(platform.calls) == 3)

    account = sandbox.credentials["vonage"]
    keys = {"api_key": account["api_key"], "signature_method": "sha256"}
    for _, _, body in platform.calls:
        news = json.loads(body)
        assert Auth(**keys, signature_secret=account["signature_secret"]).check_signature(news)
        assert not Auth(**keys, signature_secret=account["signature_secret"]).check_signature(news | {"to": "1"})
        assert not Auth(**keys, signature_secret="another").check_signature(news)


# --- sendgrid ------------------------------------------------------------------------------------------
def sendgrid(sandbox: Running, key: str = "") -> SendGridAPIClient:
    account = sandbox.credentials["sendgrid"]
    return SendGridAPIClient(key or account["api_key"], host=account["endpoint"])


def letter(sandbox: Running, provider: str, **changes: Any) -> AnymailMessage:
    sender = f"봉수 <{sandbox.credentials[provider]['from_email']}>"
    made = AnymailMessage("재입고", "안녕하세요", sender, ["김 <kim@people.example>"], **changes)
    made.attach_alternative("<p>안녕하세요</p>", "text/html")
    return made


def test_sendgrids_client_sends_a_mail(sandbox: Running) -> None:
    sender = sandbox.credentials["sendgrid"]["from_email"]

    said = sendgrid(sandbox).send(Mail(sender, "kim@people.example", "재입고", "안녕하세요", "<p>안녕하세요</p>"))

    assert (said.status_code, said.body) == (202, b"")
    assert said.headers["X-Message-Id"]
    assert accepted(sandbox, "sendgrid") == 1
    with pytest.raises(UnauthorizedError):
        sendgrid(sandbox, "SG.wrong").send(Mail(sender, "kim@people.example", "재입고", "안녕하세요"))


def test_anymail_sends_through_sendgrid(sandbox: Running) -> None:
    account = sandbox.credentials["sendgrid"]
    backend = SendGridBackend(api_key=account["api_key"], api_url=f"{account['endpoint']}/v3/")
    mail = letter(sandbox, "sendgrid", metadata={"order": "7"}, tags=["restock"], headers={"X-Shop": "봉수"})

    assert backend.send_messages([mail]) == 1
    assert mail.anymail_status.status == {"queued"}
    assert mail.anymail_status.message_id
    with pytest.raises(AnymailRequestsAPIError):
        SendGridBackend(api_key="SG.wrong", api_url=f"{account['endpoint']}/v3/").send_messages([mail])


def test_sendgrids_and_anymails_verifiers_accept_events(sandbox: Running, platform: Platform) -> None:
    sender = sandbox.credentials["sendgrid"]["from_email"]
    sendgrid(sandbox).send(Mail(sender, "kim@spam.example", "재입고", "안녕하세요"))
    eventually(lambda: len(platform.events()) == 3)

    key = sandbox.credentials["sendgrid"]["webhook_public_key"]
    for _, headers, body in platform.calls:
        signature = headers["x-twilio-email-event-webhook-signature"]
        timestamp = headers["x-twilio-email-event-webhook-timestamp"]
        theirs = EventWebhook(key)
        assert theirs.verify_signature(body.decode(), signature, timestamp)
        assert not theirs.verify_signature(body.decode() + " ", signature, timestamp)
        named = {name: headers[name] for name in headers if name.startswith("x-twilio")}
        view = SendGridTrackingWebhookView(tracking_webhook_verification_key=key)
        request = RequestFactory().post("/", body, "application/json", headers=named)
        view.validate_request(request)
        with pytest.raises(AnymailWebhookValidationFailure):
            view.validate_request(RequestFactory().post("/", body + b" ", "application/json", headers=named))
        assert {event.event_type for event in view.parse_events(request)} <= {"queued", "delivered", "complained"}


# --- mandrill ------------------------------------------------------------------------------------------
def test_anymail_sends_through_mandrill(sandbox: Running) -> None:
    account = sandbox.credentials["mandrill"]
    backend = MandrillBackend(api_key=account["api_key"], api_url=f"{account['endpoint']}/api/1.0")
    mail = letter(sandbox, "mandrill", metadata={"order": "7"}, tags=["restock"], headers={"X-Shop": "봉수"})

    assert backend.send_messages([mail]) == 1
    assert mail.anymail_status.status <= {"sent", "queued"}
    assert mail.anymail_status.message_id
    with pytest.raises(AnymailRequestsAPIError, match="Invalid_Key"):
        MandrillBackend(api_key="md-wrong", api_url=f"{account['endpoint']}/api/1.0").send_messages([mail])


def test_anymails_view_accepts_and_reads_mandrills_events(sandbox: Running, platform: Platform) -> None:
    account = sandbox.credentials["mandrill"]
    backend = MandrillBackend(api_key=account["api_key"], api_url=f"{account['endpoint']}/api/1.0")
    backend.send_messages([letter(sandbox, "mandrill", metadata={"order": "7"})])
    eventually(lambda: sum(len(json.loads(form["mandrill_events"])) for form in platform.forms()) == 2)

    seen = []
    for url, headers, body in platform.calls:
        view = MandrillCombinedWebhookView(webhook_key=account["webhook_key"], webhook_url=url)
        signature = {"X-Mandrill-Signature": headers["x-mandrill-signature"]}
        request = RequestFactory().post("/", body, "application/x-www-form-urlencoded", headers=signature)
        view.validate_request(request)
        seen += [(event.event_type, event.metadata) for event in view.parse_events(request)]
    # anymail has no word for Mandrill's "delivered", which is younger than it
    assert [kind for kind, _ in seen] == ["sent", "unknown"]
    assert all(metadata == {"order": "7"} for _, metadata in seen)


# --- fcm -----------------------------------------------------------------------------------------------
@contextmanager
def fcm(sandbox: Running) -> Iterator[Any]:
    """Google's client, made from the discovery document that comes with it: it asks nobody for one."""
    account = sandbox.credentials["fcm"]
    credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call] # Google's
        account["service_account"], scopes=["https://www.googleapis.com/auth/firebase.messaging"]
    )
    trusting = google_auth_httplib2.AuthorizedHttp(credentials, httplib2.Http(ca_certs=sandbox.state["ca_file"]))
    endpoint = {"api_endpoint": f"{account['endpoint']}/"}
    with discovery.build("fcm", "v1", http=trusting, client_options=endpoint, static_discovery=True) as built:
        yield built.projects().messages()


def test_googles_client_gets_a_token_and_sends_a_message(sandbox: Running) -> None:
    message = {
        "token": "registration-token-of-a-phone",
        "notification": {"title": "재입고", "body": "안녕하세요"},
        "android": {"priority": "HIGH", "ttl": "3600s"},
    }

    with fcm(sandbox) as client:
        said = client.send(parent="projects/bongsu-sandbox", body={"message": message}).execute()

    assert said["name"].startswith("projects/bongsu-sandbox/messages/")
    assert accepted(sandbox, "fcm") == 1


def test_googles_client_reads_a_refusal(sandbox: Running) -> None:
    message = {"token": "unregistered-" + "t" * 30, "notification": {"title": "재입고"}}

    with fcm(sandbox) as client, pytest.raises(HttpError) as refused:
        client.send(parent="projects/bongsu-sandbox", body={"message": message}).execute()

    assert refused.value.status_code == 404
    assert [detail["errorCode"] for detail in refused.value.error_details] == ["UNREGISTERED"]
