"""A sandbox that really runs, a client that really speaks HTTP/2, and requests that the real providers would take."""

import base64
import io
import json
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import http_ece
import jwt
import pycurl
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

ROOT = Path(__file__).resolve().parents[2]
DEVICE = "ab" * 32
REGISTRATION_ID = "1a0018970aa2b9e8c44"
PUSHY_TOKEN = "a6345d0278adc55d3474f5"


@dataclass(frozen=True)
class Ask:
    """A request; what a test varies is replaced."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    method: str = "POST"
    timeout: float = 10.0
    http2: bool = True

    def but(self, **changes: Any) -> "Ask":
        return replace(self, **changes)

    def with_headers(self, **headers: str | None) -> "Ask":
        """Other headers, written with underscores; None leaves one out."""
        changed = dict(self.headers) | {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={name: value for name, value in changed.items() if value is not None})


@dataclass(frozen=True)
class Said:
    """What came back; `error` is libcurl's number when nothing usable did."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    http_version: str
    error: int = 0

    def json(self) -> Any:
        return json.loads(self.body)


def send(ask: Ask, ca_file: str) -> Said:
    """One request over TLS, as the platform's own wire would send it."""
    handle, body, headers = pycurl.Curl(), io.BytesIO(), {}

    def note(line: bytes) -> None:
        name, colon, value = line.decode("latin-1").strip().partition(":")
        if colon:
            headers[name.lower()] = value.strip()

    handle.setopt(pycurl.URL, ask.url)
    handle.setopt(pycurl.CAINFO, ca_file)
    version = pycurl.CURL_HTTP_VERSION_2TLS if ask.http2 else pycurl.CURL_HTTP_VERSION_1_1
    handle.setopt(pycurl.HTTP_VERSION, version)
    handle.setopt(pycurl.CUSTOMREQUEST, ask.method)
    handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}".encode() for name, value in ask.headers.items()])
    if ask.method != "GET":
        handle.setopt(pycurl.POSTFIELDS, ask.body)
    handle.setopt(pycurl.TIMEOUT_MS, int(ask.timeout * 1000))
    handle.setopt(pycurl.WRITEFUNCTION, body.write)
    handle.setopt(pycurl.HEADERFUNCTION, note)
    error = 0
    try:
        handle.perform()
    except pycurl.error as failure:
        error = failure.args[0]
    spoken = {pycurl.CURL_HTTP_VERSION_2_0: "2", pycurl.CURL_HTTP_VERSION_1_1: "1.1"}
    version_spoken = spoken.get(handle.getinfo(pycurl.INFO_HTTP_VERSION), "?")
    said = Said(handle.getinfo(pycurl.RESPONSE_CODE), headers, body.getvalue(), version_spoken, error)
    handle.close()
    return said


def eventually(condition: Callable[[], Any], within: float = 15.0) -> Any:
    """The first truthy value of `condition`; fails after `within` seconds."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {within} s: {condition}")


class Running:
    """A sandbox process, and what it takes to talk to it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--run-dir", str(folder), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        state = folder / "sandbox.json"
        eventually(lambda: state.exists() or self.process.poll() is not None)
        if not state.exists():
            assert self.process.stdout is not None
            raise AssertionError(self.process.stdout.read())
        self.state: dict[str, Any] = json.loads(state.read_text())

    @property
    def url(self) -> str:
        return str(self.state["url"])

    @cached_property
    def credentials(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads((self.folder / "sandbox" / "credentials.json").read_text())
        return found

    def stop(self) -> str:
        """Ask it to stop; what it printed."""
        self.process.terminate()
        out, _ = self.process.communicate(timeout=15)
        return out

    # --- asking ------------------------------------------------------------------------------------
    def send(self, ask: Ask) -> Said:
        return send(ask, self.state["ca_file"])

    def empty(self) -> None:
        """Without faults, memory or receipts, and with nobody to call back."""
        self.admin("DELETE", "record")
        self.admin("DELETE", "faults")
        nobody = dict.fromkeys(
            ("sendgrid_events_url", "mandrill_events_url", "twilio_inbound_url", "vonage_inbound_url"), ""
        )
        self.admin("PUT", "settings", {"receipts": False, "receipt_delay_ms": 0, **nobody})

    def admin(self, method: str, path: str, content: object | None = None) -> Said:
        body = b"" if content is None else json.dumps(content).encode()
        return self.send(Ask(f"{self.url}/_sandbox/{path}", method=method, body=body))

    def row(self, delivery_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.admin("GET", f"record/{delivery_id}").json()
        return found

    # --- what each provider takes ------------------------------------------------------------------
    def provider_token(self, *, kid: str = "", key: str = "", **claims: Any) -> str:
        apns = self.credentials["apns"]
        return jwt.encode(
            {"iss": apns["team_id"], "iat": int(time.time())} | claims,
            key or apns["private_key"],
            algorithm="ES256",
            headers={"kid": kid or apns["key_id"]},
        )

    def apns(self, device: str = DEVICE, delivery_id: str = "", payload: object = None) -> Ask:
        content = {"aps": {"alert": {"title": "재입고", "body": "안녕하세요"}}} if payload is None else payload
        return Ask(
            f"{self.url}/apns/3/device/{device}",
            {
                "authorization": f"bearer {self.provider_token()}",
                "apns-topic": self.credentials["apns"]["topic"],
                "apns-push-type": "alert",
                "apns-id": delivery_id or str(uuid4()),
            },
            content if isinstance(content, bytes) else json.dumps(content).encode(),
        )

    def assertion(self, key: str = "", **claims: Any) -> Ask:
        account, now = self.credentials["fcm"]["service_account"], int(time.time())
        signed = jwt.encode(
            {
                "iss": account["client_email"],
                "aud": account["token_uri"],
                "iat": now,
                "exp": now + 3600,
                "scope": "https://www.googleapis.com/auth/firebase.messaging",
            }
            | claims,
            key or account["private_key"],
            algorithm="RS256",
            headers={"kid": account["private_key_id"]},
        )
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}
        return Ask(
            account["token_uri"], {"content-type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
        )

    @cached_property
    def bearer(self) -> str:
        return str(self.send(self.assertion()).json()["access_token"])

    def fcm(self, delivery_id: str = "", *, whole: object = None, **message: Any) -> Ask:
        delivery_id = delivery_id or str(uuid4())
        usual = {
            "token": "registration-token-of-a-phone",
            "notification": {"title": "재입고", "body": "안녕하세요"},
            "data": {"bongsu_delivery_id": delivery_id},
        }
        return Ask(
            f"{self.url}/fcm/v1/projects/{self.credentials['fcm']['project_id']}/messages:send",
            {"authorization": f"Bearer {self.bearer}", "content-type": "application/json"},
            json.dumps({"message": usual | message} if whole is None else whole).encode(),
        )

    def twilio(self, delivery_id: str = "", *, callback: str = "", **form: str | None) -> Ask:
        account = self.credentials["twilio"]
        usual: dict[str, str | None] = {
            "To": "+821012345678",
            "From": account["from_number"],
            "Body": "안녕하세요",
            "StatusCallback": callback or f"http://127.0.0.1:9/webhooks/{delivery_id or uuid4()}",
        }
        fields = {name: value for name, value in (usual | form).items() if value is not None}
        pair = base64.b64encode(f"{account['account_sid']}:{account['auth_token']}".encode()).decode()
        return Ask(
            f"{self.url}/twilio/2010-04-01/Accounts/{account['account_sid']}/Messages.json",
            {"authorization": f"Basic {pair}", "content-type": "application/x-www-form-urlencoded"},
            urlencode(fields).encode(),
        )

    def mail(self, *delivery_ids: str, to: str = "kim@people.example", **changes: Any) -> dict[str, Any]:
        return {
            "personalizations": [
                {"to": [{"email": to}], "custom_args": {"bongsu_delivery_id": delivery_id}}
                for delivery_id in delivery_ids or (str(uuid4()),)
            ],
            "from": {"email": self.credentials["sendgrid"]["from_email"], "name": "봉수"},
            "subject": "재입고",
            "content": [{"type": "text/plain", "value": "안녕하세요"}, {"type": "text/html", "value": "<p>안녕하세요"}],
        } | changes

    def sendgrid(self, mail: object) -> Ask:
        return Ask(
            f"{self.url}/sendgrid/v3/mail/send",
            {
                "authorization": f"Bearer {self.credentials['sendgrid']['api_key']}",
                "content-type": "application/json",
            },
            mail if isinstance(mail, bytes) else json.dumps(mail).encode(),
        )

    def message(self, delivery_id: str = "", *, to: str = "kim@people.example", **changes: Any) -> dict[str, Any]:
        return {
            "to": [{"email": to, "type": "to"}],
            "from_email": self.credentials["mandrill"]["from_email"],
            "from_name": "봉수",
            "subject": "재입고",
            "text": "안녕하세요",
            "html": "<p>안녕하세요",
            "metadata": {"bongsu_delivery_id": delivery_id or str(uuid4())},
        } | changes

    def mandrill(self, message: object, **changes: Any) -> Ask:
        whole = {"key": self.credentials["mandrill"]["api_key"], "message": message} | changes
        return Ask(
            f"{self.url}/mandrill/api/1.4/messages/send.json",
            {"content-type": "application/json"},
            message if isinstance(message, bytes) else json.dumps(whole).encode(),
        )

    def vonage(self, delivery_id: str = "", /, **form: str | None) -> Ask:
        account = self.credentials["vonage"]
        usual: dict[str, str | None] = {
            "api_key": account["api_key"],
            "api_secret": account["api_secret"],
            "from": account["from_number"],
            "to": "821012345678",
            "text": "안녕하세요",
            "type": "unicode",
            "client-ref": delivery_id or str(uuid4()),
        }
        fields = {name: value for name, value in (usual | form).items() if value is not None}
        return Ask(
            f"{self.url}/vonage/sms/json",
            {"content-type": "application/x-www-form-urlencoded"},
            urlencode(fields).encode(),
        )

    def jpush(self, delivery_id: str = "", *, device: str = REGISTRATION_ID, **changes: Any) -> Ask:
        usual = {
            "platform": ["android"],
            "audience": {"registration_id": [device]},
            "notification": {
                "android": {
                    "alert": "안녕하세요",
                    "title": "재입고",
                    "extras": {"bongsu_delivery_id": delivery_id or str(uuid4())},
                }
            },
            "options": {"time_to_live": 3600},
        }
        return self.jiguang("/v3/push", json.dumps(usual | changes).encode())

    def jiguang(self, path: str, body: bytes = b"") -> Ask:
        account = self.credentials["jpush"]
        pair = base64.b64encode(f"{account['app_key']}:{account['master_secret']}".encode()).decode()
        headers = {"authorization": f"Basic {pair}", "content-type": "application/json"}
        return Ask(f"{self.url}/jpush{path}", headers, body, "POST" if body else "GET")

    def cids(self, count: int = 1) -> list[str]:
        found: list[str] = self.send(self.jiguang(f"/v3/push/cid?count={count}&type=push")).json()["cidlist"]
        return found

    def pushy(self, delivery_id: str = "", **changes: Any) -> Ask:
        usual = {
            "to": PUSHY_TOKEN,
            "data": {
                "title": "재입고",
                "message": "안녕하세요",
                "bongsu_delivery_id": delivery_id or str(uuid4()),
            },
        }
        return Ask(
            f"{self.url}/pushy/push?api_key={self.credentials['pushy']['api_key']}",
            {"content-type": "application/json"},
            json.dumps(usual | changes).encode(),
        )

    def subscription(self, browser: str) -> dict[str, Any]:
        found: dict[str, Any] = self.admin("GET", f"subscriptions/{browser}").json()
        return found

    def vapid(self, *, key: str = "", **claims: Any) -> str:
        own = load_pem_private_key((key or self.credentials["webpush"]["vapid_private_key"]).encode(), None)
        usual = {"aud": self.url, "exp": int(time.time()) + 3600, "sub": "mailto:push@example.com"}
        kept = {name: value for name, value in (usual | claims).items() if value is not None}
        point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return f"vapid t={jwt.encode(kept, own, algorithm='ES256')}, k={_base64url(point)}"  # type: ignore[arg-type]

    def webpush(self, delivery_id: str = "", *, browser: str = "jimin", said: object = None) -> Ask:
        """Encrypted by a library that neither the platform nor the sandbox uses."""
        usual = {"title": "재입고", "body": "안녕하세요", "delivery_id": delivery_id or str(uuid4())}
        content = said if isinstance(said, bytes) else json.dumps(usual if said is None else said).encode()
        subscription = self.subscription(browser)
        keys = {name: base64.urlsafe_b64decode(f"{text}==") for name, text in subscription["keys"].items()}
        body = http_ece.encrypt(
            content,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=keys["p256dh"],
            auth_secret=keys["auth"],
            version="aes128gcm",
        )
        headers = {"authorization": self.vapid(), "content-encoding": "aes128gcm", "ttl": "60", "urgency": "normal"}
        return Ask(subscription["endpoint"], headers, body)

    @contextmanager
    def smtp(self, *, starttls: bool = True, login: bool = True) -> Iterator[smtplib.SMTP]:
        """A session with the mail server, which takes no requests."""
        account = self.credentials["smtp"]
        with smtplib.SMTP("localhost", self.state["smtp_port"], timeout=5) as client:
            if starttls:
                client.starttls(context=ssl.create_default_context(cafile=self.state["ca_file"]))
            if login:
                client.login(account["username"], account["password"])
            yield client

    def asks(self, delivery_id: str) -> dict[str, Ask]:
        """One good request to every provider that takes requests."""
        return {
            "apns": self.apns(delivery_id=delivery_id),
            "fcm": self.fcm(delivery_id),
            "twilio": self.twilio(delivery_id),
            "sendgrid": self.sendgrid(self.mail(delivery_id)),
            "mandrill": self.mandrill(self.message(delivery_id)),
            "vonage": self.vonage(delivery_id),
            "jpush": self.jpush(delivery_id),
            "pushy": self.pushy(delivery_id),
            "webpush": self.webpush(delivery_id),
        }


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
