"""Addresses and secrets stay out of the log, on the whole road and in whatever a library writes."""

import logging
import re

import pytest
import structlog
from django.test import Client

from accounts.masking import masked
from accounts.models import Device
from config.logging import mask_addresses
from notifications import receiving
from notifications.clock import clock
from notifications.models import DeliveryEvent, ProviderAccount
from notifications.routes import routes
from notifications.vault import unseal
from tests.api.shop import jimin, shop
from tests.notifications.loglines import written
from tests.notifications.road import accepted, dispatched_all
from tests.sandbox.world import Running

PHONE, EMAIL = "+821012345678", "jimin@example.com"
APNS = "c0ffee" * 10 + "abcd"
FCM = "dGVzdA:APA91bF" + "Zx9-_" * 26
JPUSH, PUSHY = "1a0018970aa2b9e8c44", "a6345d0278adc55d3474f5"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("jimin@example.com", "j***@example.com"),
        ("to kim.min+news@mail.example.co.kr now", "to k***@mail.example.co.kr now"),
        ("two: a@example.com, b@example.org", "two: a***@example.com, b***@example.org"),
        (PHONE, "+8210***78"),
        ("To=+821012345678&Body=x", "To=+8210***78&Body=x"),
        (APNS, "c0ff***"),
        (FCM, "dGVz***"),
        ("Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IkFCQzEyMyJ9.eyJpc3MiOiJURUFNIn0.c2ln", "Bearer eyJ***"),
        ("key SG.abcdefghijklmnopqrstuv.0123456789_and-more refused", "key SG.*** refused"),
        ("key md-AbCdEfGh_-1234567890ij refused", "key md-*** refused"),
        ("GET https://x.example/push?api_key=s3cr3t&a=b", "GET https://x.example/push?api_key=***&a=b"),
        ("secret bs_Zx9-_aB3dEfGhIjKlMnOpQrStUvWxYz0123456789AbCdE wrong", "secret bs_*** wrong"),
        # ids are how people find things
        ("01a2095a-18fd-7087-9d1e-c581d7aabb93", "01a2095a-18fd-7087-9d1e-c581d7aabb93"),
        ("delivery 01a2095a-18fd-7087-9d1e-c581d7aabb93 sent", "delivery 01a2095a-18fd-7087-9d1e-c581d7aabb93 sent"),
        ("request.answered", "request.answered"),
        ("안녕하세요", "안녕하세요"),
        ("5 of 25 answers in 10 s were failures", "5 of 25 answers in 10 s were failures"),
        ("", ""),
    ],
)
def test_what_the_mask_leaves(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "name", ["secret", "app_secret", "password", "Authorization", "credentials", "token", "auth_token", "api_key"]
)
def test_what_is_called_a_secret_is_never_shown(name: str) -> None:
    assert mask_addresses(None, "info", {name: "x", "event": "e"}) == {name: "***", "event": "e"}


@pytest.mark.parametrize(
    "value", [[EMAIL], (EMAIL,), {"to": EMAIL}, {"inner": [{"deep": EMAIL}]}, EMAIL.encode(), {"api_key": [EMAIL]}]
)
def test_values_of_values_are_masked_too(value: object) -> None:
    assert "jimin@" not in str(mask_addresses(None, "info", {"event": "e", "value": value}))


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_that_quotes_an_address_is_masked(style: str) -> None:
    with written(style) as log:
        try:
            raise ValueError(f"cannot send to {PHONE} or {EMAIL}")  # noqa: TRY301
        except ValueError:
            structlog.get_logger("test").error("it.failed", exc_info=True)
            logging.getLogger("somebody.else").exception("failed for %s", EMAIL)

    assert "it.failed" in log.getvalue()
    assert PHONE not in log.getvalue()
    assert EMAIL not in log.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [None, {"status": 503}, {"status": 400}, {"status": 401}, {"mode": "reset"}])
def test_a_whole_road_leaves_no_address_and_no_secret_in_the_log(
    providers: Running, fault: dict[str, object] | None
) -> None:
    person = jimin(phone=PHONE, email=EMAIL)
    person.devices.filter(platform="ios").update(token=APNS)
    person.devices.filter(platform="android").update(token=FCM)
    for service, token in (("jpush", JPUSH), ("pushy", PUSHY)):
        person.devices.create(platform="android", service=service, token=token)
    caller = shop()
    if fault:
        for name in ("apns", "fcm", "jpush", "pushy", "twilio", "sendgrid"):
            providers.admin("PUT", f"faults/{name}", fault)

    with written() as log:
        accepted("push", "sms", "email", by=caller)
        caller.post("/v1/notifications", {"template": "restock", "recipients": [{"email": EMAIL, "phone": "12"}]})
        assert len(dispatched_all()) == 4
        receiving.apply(clock=clock.now)
        Client().post("/v1/webhooks/twilio-live", {"To": PHONE})
        Client().get(f"/v1/recipients/{EMAIL}", headers={"Authorization": f"Basic {caller.secret}"})

    text = log.getvalue()
    assert "request.answered" in text
    secrets = [
        value
        for account in ProviderAccount.objects.all()
        for value in unseal(account.credentials).values()
        if len(value) > 12
    ]
    for private in (PHONE, PHONE.strip("+"), EMAIL, APNS, FCM, JPUSH, PUSHY, caller.secret, caller.key, *secrets):
        found = re.search(re.escape(private), text)
        assert found is None, f"{private[:4]}… stands in the log: {text[max(0, found.start() - 200) : found.end()]}"
    assert Device.objects.count() == 4
    assert routes.named("apns-live") is not None


@pytest.mark.django_db
@pytest.mark.parametrize("endpoint", ["https://127.0.0.1:9", "https://nobody.invalid", "https://[", "https://x\ny"])
def test_a_key_that_stands_in_the_address_is_quoted_by_no_failure(providers: Running, endpoint: str) -> None:
    ProviderAccount.objects.filter(name="pushy-live").update(endpoint=endpoint)
    key = unseal(ProviderAccount.objects.get(name="pushy-live").credentials)["api_key"]
    jimin().devices.filter(platform="android").update(service="pushy", token=PUSHY)
    routes.forget()

    with written() as log:
        deliveries = accepted("push")
        dispatched_all()

    rows = list(DeliveryEvent.objects.filter(delivery_id__in=[one.pk for one in deliveries]).values_list("detail"))
    assert any(detail for (detail,) in rows)
    assert key not in log.getvalue() + str(rows)
