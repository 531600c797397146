"""A shop that calls the API: an application with a key, a published template, people to write to."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.authentication import create_key
from accounts.channels import Mode
from accounts.ids import new_id
from accounts.models import Application, Category, Device, Preference, Recipient
from templates_app.models import Template, TemplateVersion, VersionState

RESTOCK = {
    "push": {
        "ko": {"title": "재입고 알림", "body": "안녕하세요, {{ user_name }}님! {{ product_name }}이 재입고되었습니다."},
        "en": {"title": "Back in stock", "body": "Hello {{ user_name }}! {{ product_name }} is back."},
    },
    "sms": {"ko": {"body": "{{ user_name }}님, {{ product_name }} 재입고"}},
    "email": {
        "ko": {"subject": "{{ product_name }} 재입고", "html": "<p>{{ user_name }}</p>", "text": "{{ user_name }}"}
    },
}
DATA = {"user_name": "지민", "product_name": "운동화"}


@dataclass(frozen=True)
class Shop:
    """One application, calling."""

    application: Application
    key: str
    secret: str
    category: Category

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """POST JSON; a text body goes as it is."""
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return Client().post(path, content, content_type="application/json", headers=self._auth() | headers)

    def get(self, path: str) -> Any:
        """GET, with the shop's key."""
        return Client().get(path, headers=self._auth())

    def delete(self, path: str) -> Any:
        """DELETE, with the shop's key."""
        return Client().delete(path, headers=self._auth())

    def _auth(self) -> dict[str, str]:
        token = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {token}"}


def shop(*, mode: Mode = Mode.LIVE, **application: Any) -> Shop:
    """An application with a key, and the template `restock` published once."""
    owner = Application.objects.create(name=f"shop-{new_id()}", **application)
    key = create_key(owner, mode)
    category, _ = Category.objects.get_or_create(slug="restock-alerts", defaults={"name": "Restock alerts"})
    template, made = Template.objects.get_or_create(
        name="restock", defaults={"title": "Back in stock", "category": category, "default_locale": "ko"}
    )
    if made:
        TemplateVersion.objects.create(
            template=template, number=1, content=RESTOCK, state=VersionState.PUBLISHED, published_at=timezone.now()
        )
    return Shop(owner, key.key, key.secret, category)


def jimin(**changes: Any) -> Recipient:
    """Somebody with an iPhone, an Android tablet, a phone number and an email address."""
    usual = {"external_id": "jimin", "email": "jimin@example.com", "phone": "+821012345678", "locale": "ko-KR"}
    person = Recipient.objects.create(**{**usual, **changes})
    Device.objects.create(recipient=person, platform="ios", service="apns", token=new_id().hex * 2)
    Device.objects.create(recipient=person, platform="android", service="fcm", token=f"fcm-{new_id().hex}")
    return person


def opted_out(person: Recipient, category: Category, channel: str = "") -> None:
    """They said no."""
    Preference.objects.create(recipient=person, category=category, channel=channel, allowed=False)
