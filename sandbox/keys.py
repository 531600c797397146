"""The sample credentials of a demo account with each provider.

Made on the first start and kept, so that a platform set up against the sandbox still works after a restart.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sandbox.files import write_private

_PRIVATE = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

#: What every sandbox has in common, so that a person recognises it.
APNS_TOPIC = "example.bongsu.app"
FCM_PROJECT = "bongsu-sandbox"
#: Twilio's own number for tests: twilio.com/docs/iam/test-credentials.
TWILIO_NUMBER = "+15005550006"
#: A number that is nobody's: Ofcom keeps 07700 900000 to 900999 free for drama, and Vonage's documents use them.
VONAGE_NUMBER = "447700900999"
MAIL_DOMAIN = "bongsu.example"
SMTP_USER = f"platform@{MAIL_DOMAIN}"


class Keys(msgspec.Struct, frozen=True):
    """What the providers know of their one customer. Keys are PEM, PKCS 8."""

    apns_private: str
    apns_key_id: str
    apns_team_id: str
    fcm_private: str
    fcm_key_id: str
    fcm_email: str
    fcm_token_secret: str
    twilio_sid: str
    twilio_token: str
    twilio_service: str
    sendgrid_api_key: str
    sendgrid_webhook_private: str
    mandrill_api_key: str
    mandrill_webhook_key: str
    vonage_api_key: str
    vonage_api_secret: str
    vonage_signature_secret: str
    smtp_password: str
    jpush_app_key: str
    jpush_master_secret: str
    pushy_api_key: str
    webpush_private: str
    webpush_secret: str

    @classmethod
    def generate(cls) -> Self:
        """New credentials in the shapes the real providers give out."""
        return cls(
            apns_private=_elliptic(),
            apns_key_id=secrets.token_hex(5).upper(),
            apns_team_id=secrets.token_hex(5).upper(),
            fcm_private=rsa.generate_private_key(65537, 2048).private_bytes(*_PRIVATE).decode(),
            fcm_key_id=secrets.token_hex(20),
            fcm_email=f"firebase-adminsdk@{FCM_PROJECT}.iam.gserviceaccount.com",
            fcm_token_secret=secrets.token_hex(32),
            twilio_sid="AC" + secrets.token_hex(16),
            twilio_token=secrets.token_hex(16),
            twilio_service="MG" + secrets.token_hex(16),
            sendgrid_api_key=f"SG.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}",
            sendgrid_webhook_private=_elliptic(),
            mandrill_api_key="md-" + secrets.token_urlsafe(16),
            mandrill_webhook_key=secrets.token_urlsafe(16),
            vonage_api_key=secrets.token_hex(4),
            vonage_api_secret=secrets.token_urlsafe(12),
            vonage_signature_secret=secrets.token_urlsafe(32),
            smtp_password=secrets.token_urlsafe(18),
            jpush_app_key=secrets.token_hex(12),
            jpush_master_secret=secrets.token_hex(12),
            pushy_api_key=secrets.token_hex(32),
            webpush_private=_elliptic(),
            webpush_secret=secrets.token_hex(32),
        )

    @classmethod
    def ensure(cls, file: Path) -> Self:
        """The keys in `file`; those that are not in it are generated, such as a provider's that is new."""
        kept = msgspec.json.decode(file.read_bytes(), type=dict[str, str]) if file.exists() else {}
        if set(cls.__struct_fields__) <= set(kept):
            return msgspec.convert(kept, cls)
        keys = msgspec.structs.replace(cls.generate(), **kept)
        write_private(file, msgspec.json.format(msgspec.json.encode(keys)))
        return keys

    def credentials(self, url: str, smtp_url: str, doors: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
        """What a platform needs to use the sandbox at these addresses, by provider: endpoint, secrets, settings.

        `doors` are the addresses of stricter ways in, which stand beside the endpoints.
        """
        found = self._credentials(url, smtp_url)
        for name, address in (doors or {}).items():
            found[name]["door_endpoint"] = f"{address}/{name}"
        return found

    def _credentials(self, url: str, smtp_url: str) -> dict[str, dict[str, Any]]:
        return {
            "apns": {
                "endpoint": f"{url}/apns",
                "key_id": self.apns_key_id,
                "team_id": self.apns_team_id,
                "private_key": self.apns_private,
                "topic": APNS_TOPIC,
            },
            "fcm": {
                "endpoint": f"{url}/fcm",
                "project_id": FCM_PROJECT,
                "service_account": {
                    "type": "service_account",
                    "project_id": FCM_PROJECT,
                    "private_key_id": self.fcm_key_id,
                    "private_key": self.fcm_private,
                    "client_email": self.fcm_email,
                    "client_id": "100000000000000000000",
                    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                    "token_uri": f"{url}/fcm/token",
                    "universe_domain": "googleapis.com",
                },
            },
            "twilio": {
                "endpoint": f"{url}/twilio",
                "account_sid": self.twilio_sid,
                "auth_token": self.twilio_token,
                "from_number": TWILIO_NUMBER,
                "messaging_service_sid": self.twilio_service,
            },
            "sendgrid": {
                "endpoint": f"{url}/sendgrid",
                "api_key": self.sendgrid_api_key,
                "webhook_public_key": _armourless(self.sendgrid_webhook_private),
                "from_email": f"hello@{MAIL_DOMAIN}",
            },
            "mandrill": {
                "endpoint": f"{url}/mandrill",
                "api_key": self.mandrill_api_key,
                "webhook_key": self.mandrill_webhook_key,
                "from_email": f"hello@{MAIL_DOMAIN}",
            },
            "vonage": {
                "endpoint": f"{url}/vonage",
                "api_key": self.vonage_api_key,
                "api_secret": self.vonage_api_secret,
                "signature_secret": self.vonage_signature_secret,
                "from_number": VONAGE_NUMBER,
            },
            "smtp": {
                "endpoint": smtp_url,
                "username": SMTP_USER,
                "password": self.smtp_password,
                "from_email": f"hello@{MAIL_DOMAIN}",
            },
            "jpush": {
                "endpoint": f"{url}/jpush",
                "app_key": self.jpush_app_key,
                "master_secret": self.jpush_master_secret,
            },
            "pushy": {
                "endpoint": f"{url}/pushy",
                "api_key": self.pushy_api_key,
            },
            "webpush": {
                "endpoint": f"{url}/webpush",
                "vapid_private_key": self.webpush_private,
                "subject": f"mailto:hello@{MAIL_DOMAIN}",
            },
        }


def _elliptic() -> str:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(*_PRIVATE).decode()


def _armourless(private: str) -> str:
    """The public key as SendGrid shows it: base64 of the DER form, without PEM's first and last line."""
    public = load_pem_private_key(private.encode(), None).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return "".join(pem.splitlines()[1:-1])
