"""People, applications, templates and callers for tests: one helper an idea."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any, Final

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.authentication import create_key
from accounts.channels import Mode
from accounts.consent_log import Witness
from accounts.devices import Registration, register, registration
from accounts.ids import new_id
from accounts.models import Actor, Application, Category, Device, Recipient, Via
from templates_app import catalogue, publishing
from templates_app.content import RawContent
from templates_app.models import Template, TemplateVersion

#: Says something in Korean and English by push, in Korean only by SMS.
WELCOME: Final[RawContent] = {
    "push": {
        "ko": {"title": "환영합니다", "body": "{{ name }}님, 반갑습니다."},
        "en": {"title": "Welcome", "body": "Hello {{ name }}!"},
    },
    "sms": {"ko": {"body": "{{ name }}님, 반갑습니다."}},
}


@dataclass(frozen=True)
class Caller:
    """A program that calls the API with an appKey and an appSecret."""

    key: str
    secret: str = field(repr=False)
    address: str = "127.0.0.1"

    def get(self, path: str) -> Any:
        """GET."""
        return self._ask("get", path)

    def post(self, path: str, body: Any, content_type: str = "application/json") -> Any:
        """POST JSON, or what is called otherwise; a text body goes as it is."""
        return self._ask("post", path, body, content_type)

    def put(self, path: str, body: Any) -> Any:
        """PUT JSON; a text body goes as it is."""
        return self._ask("put", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """PATCH JSON; a text body goes as it is."""
        return self._ask("patch", path, body)

    def delete(self, path: str) -> Any:
        """DELETE."""
        return self._ask("delete", path)

    def with_secret(self, secret: str) -> "Caller":
        """The same key with another secret."""
        return replace(self, secret=secret)

    def _ask(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> HttpResponse:
        token = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        client = Client(headers={"Authorization": f"Basic {token}"}, REMOTE_ADDR=self.address)
        content = body if isinstance(body, str) else json.dumps(body)
        sent: Mapping[str, Any] = {} if body is None else {"data": content, "content_type": content_type}
        answer: HttpResponse = getattr(client, method)(path, **sent)
        return answer


def application(**values: Any) -> Application:
    """An application that may do everything."""
    return Application.objects.create(**{"name": f"app-{new_id()}", **values})


def caller(*, mode: Mode = Mode.LIVE, **values: Any) -> Caller:
    """A program of a new application."""
    key = create_key(application(**values), mode)
    return Caller(key.key, key.secret)


def person(external_id: str = "jimin", **values: Any) -> Recipient:
    """Somebody of whom nothing is known but `values`."""
    return Recipient.objects.create(external_id=external_id, **values)


def apns_token(digit: str = "a") -> str:
    """A token as Apple's service issues them."""
    return digit * 64


def fcm_token(name: str = "tablet") -> str:
    """A token as Google's service issues them."""
    return f"{name}:{'x' * 40}"


def subscription(endpoint: str = "https://push.example.net/send/1") -> str:
    """A browser's push subscription, with the keys of RFC 8291's own example."""
    p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    return json.dumps({"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}})


def iphone(token: str = "", app_version: str = "") -> Registration:
    """What an app on an iPhone reports."""
    return registration("ios", token or apns_token(), app_version=app_version)


def device(owner: Recipient, reported: Registration | None = None) -> Device:
    """A registered iPhone, or whatever was reported."""
    return register(owner, reported or iphone(), timezone.now())[0]


def category(slug: str = "news", **values: Any) -> Category:
    """What messages are about."""
    return Category.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **values})[0]


def template(name: str = "welcome", **values: Any) -> Template:
    """A named message without a version."""
    usual = {"title": name.title(), "category": category(), "default_locale": "ko"}
    return Template.objects.create(name=name, **{**usual, **values})


def published(
    name: str = "welcome", content: RawContent = WELCOME, *, sample_data: Mapping[str, Any] | None = None
) -> TemplateVersion:
    """A template with one version, which is published."""
    version = publishing.create_draft(template(name), publishing.Draft(content, sample_data or {}))
    publishing.publish(version, timezone.now())
    catalogue.forget()
    return version


def witness(detail: str = "") -> Witness:
    """Somebody changes what was agreed."""
    return Witness(Actor.ADMIN, Via.ADMIN, "admin", detail)


def administrator() -> Client:
    """A browser in which a superuser is signed in."""
    browser = Client()
    browser.force_login(User.objects.create(username="admin", is_staff=True, is_superuser=True))
    return browser


def fields_named(answer: Any) -> set[str]:
    """The fields that a problem document complains about."""
    assert answer["Content-Type"] == "application/problem+json", answer.content
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    return {error["field"] for error in problem.get("errors", ())}


def complaints(page: Any) -> list[str]:
    """What a form of the admin says is wrong; the page opened, and says so."""
    text = unescape(shown(page))
    found = [str(one) for complaint in page.context["errors"] for one in complaint]
    assert all(one in text for one in found)
    return found


def listed(page: Any) -> list[str]:
    """The primary keys of the rows on a page of a list, in their order."""
    shown(page)
    return [str(row.pk) for row in page.context["cl"].result_list]


def shown(page: Any) -> str:
    """The text of a page that opened."""
    assert page.status_code == 200, page.content
    return str(page.content.decode())
