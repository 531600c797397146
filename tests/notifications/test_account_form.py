"""What is refused when an account is saved, and with which reason; and what is understood all the same."""

import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from notifications import vault
from notifications.models import ProviderAccount
from tests.builders import administrator, shown
from tests.providers.examples import encrypted_pem, pem, public_pem
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

P8 = pem(ec.generate_private_key(ec.SECP256R1()))
FILE = {
    "type": "service_account",
    "project_id": "shop-1",
    "private_key": pem(rsa.generate_private_key(65537, 2048)),
    "client_email": "sender@shop-1.iam.gserviceaccount.com",
    "token_uri": "https://oauth2.googleapis.com/token",
}
SID, TOKEN = "AC" + "0f" * 16, "5e" * 16
#: A good account of each provider: credentials and settings.
GOOD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "apns": ({"key_p8": P8, "key_id": "ABC123DEFG", "team_id": "TEAM123456"}, {"topic": "com.example.app"}),
    "fcm": ({"service_account": json.dumps(FILE)}, {}),
    "twilio": ({"account_sid": SID, "auth_token": TOKEN}, {"sender": "+15005550006"}),
    "vonage": ({"api_key": "a1b2c3d4", "api_secret": "s3cret-of-vonage"}, {"sender": "BONGSU"}),
    "sendgrid": ({"api_key": "SG." + "x" * 22 + "." + "y" * 43}, {"from_email": "hello@bongsu.example"}),
    "mandrill": ({"api_key": "md-abcdefghijklmnop"}, {"from_email": "hello@bongsu.example"}),
}


def form(provider: str, **changes: Any) -> dict[str, str]:
    credentials, settings = GOOD[provider]
    usual = {
        "name": "main",
        "provider": provider,
        "mode": "live",
        "endpoint": "",
        "rank": "100",
        "is_active": "on",
        "new_credentials": credentials,
        "settings": settings,
    }
    return {name: one if isinstance(one, str) else json.dumps(one) for name, one in (usual | changes).items()}


def complaint(**posted: str) -> str:
    """What the page says to a form; empty where the account was saved."""
    answer = administrator().post(reverse("admin:notifications_provideraccount_add"), posted)
    if answer.status_code == 302:
        return ""
    page = shown(answer)
    assert "errornote" in page
    assert not ProviderAccount.objects.exists()
    return page


def stored() -> dict[str, str]:
    return vault.unseal(ProviderAccount.objects.get().credentials)


@pytest.mark.parametrize("provider", GOOD)
def test_a_good_account_is_saved(provider: str) -> None:
    assert complaint(**form(provider)) == ""
    assert stored() == GOOD[provider][0]


def but(provider: str, **changes: Any) -> dict[str, Any]:
    return {**GOOD[provider][0], **changes}


@pytest.mark.parametrize(
    ("provider", "credentials", "says"),
    [
        ("apns", but("apns", key_p8="no key"), "not a readable key"),
        ("apns", but("apns", key_p8=P8[:60]), "not a readable key"),
        ("apns", but("apns", key_p8=public_pem(ec.generate_private_key(ec.SECP256R1()))), "a public key"),
        ("apns", but("apns", key_p8=encrypted_pem(ec.generate_private_key(ec.SECP256R1()))), "an encrypted key"),
        ("apns", but("apns", key_p8=pem(ec.generate_private_key(ec.SECP384R1()))), "secp384r1"),
        ("apns", but("apns", key_p8=FILE["private_key"]), "of another kind"),
        ("apns", but("apns", key_p8="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"), "a certificate"),
        ("apns", but("apns", key_id="ABC"), "ten characters"),
        ("fcm", {"service_account": "no file"}, "not a JSON object"),
        ("fcm", {"service_account": {**FILE, "type": "authorized_user"}}, "another type"),
        ("fcm", {"service_account": {**FILE, "client_email": ""}}, "without client_email"),
        ("fcm", {"service_account": {**FILE, "private_key": "x"}}, "private_key is broken"),
        ("fcm", {"service_account": {**FILE, "token_uri": "http://plain.example"}}, "token_uri"),
        ("fcm", {"project_info": {}}, "knows no"),
        ("fcm", {"service_account": {"project_info": {}}}, "google-services.json"),
        ("twilio", but("twilio", account_sid="SK" + "0f" * 16), "API key"),
        ("twilio", but("twilio", account_sid="AC123"), "AC and 32 hexadecimal digits"),
        ("twilio", but("twilio", auth_token=SID), "auth_token is a SID"),
        ("twilio", but("twilio", auth_token="two words"), "no spaces"),
        ("twilio", {"account_sid": SID, "token": TOKEN}, "knows no &#x27;token&#x27;"),
        ("twilio", {"account_sid": SID, "auth_token": 5}, "values are texts"),
        ("vonage", but("vonage", api_key="a1b2"), "8 letters and digits"),
        ("vonage", but("vonage", api_secret="two words"), "6 to 32 characters"),
        ("sendgrid", {"api_key": "xkeysib-1"}, "begins with SG."),
        ("sendgrid", but("sendgrid", webhook_public_key="none"), "webhook_public_key"),
        ("mandrill", {"api_key": "0f" * 16 + "-us12"}, "marketing API"),
        ("mandrill", {"api_key": "a b"}, "no spaces"),
    ],
)
def test_credentials_that_cannot_work_are_refused_with_the_reason(
    provider: str, credentials: dict[str, Any], says: str
) -> None:
    assert says in complaint(**form(provider, new_credentials=credentials)).replace("&#x27;s", "'s")


@pytest.mark.parametrize(
    ("provider", "settings", "says"),
    [
        ("apns", {"topic": "TEAM123456.com.example.app"}, "without the team"),
        ("twilio", {"sender": "15005550006"}, "perhaps +15005550006?"),
        ("twilio", {"sender": "BONGSU", "senders": "1: BONGSU"}, "+1 takes no names"),
        ("vonage", {"sender": "Bongsu Shop"}, "without spaces"),
        ("vonage", {"sender": "BONGSU", "senders": "nonsense"}, "a colon and a sender"),
        ("sendgrid", {"from_email": "nobody"}, "from_email"),
        ("sendgrid", {"from": "hello@bongsu.example"}, "knows no"),
        ("twilio", {"sender": 5}, "values are texts"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_reason(
    provider: str, settings: dict[str, Any], says: str
) -> None:
    assert says in complaint(**form(provider, settings=settings))


@pytest.mark.parametrize(
    ("provider", "endpoint", "says"),
    [
        ("twilio", "http://api.twilio.com", "https://host"),
        ("twilio", "api.twilio.com", "https://host"),
        ("twilio", "https://console.twilio.com", "is not where twilio takes messages"),
        ("twilio", "https://api.sendgrid.com", "Api.sendgrid.com belongs to sendgrid"),
        ("twilio", "https://api.twilio.com/2010-04-01", "leave /2010-04-01 out"),
        ("twilio", "https://127.0.0.1:4000", "private network"),
        ("twilio", "https://sandbox.internal", "private network"),
        ("twilio", "https://169.254.169.254", "private network"),
    ],
)
def test_an_endpoint_that_is_wrong_is_refused_with_the_reason(provider: str, endpoint: str, says: str) -> None:
    assert says in complaint(**form(provider, endpoint=endpoint))


def test_a_private_endpoint_is_for_tests_or_for_who_allows_it(settings: Settings) -> None:
    private = "https://127.0.0.1:4000"
    assert complaint(**form("twilio", endpoint=private, mode="test")) == ""
    ProviderAccount.objects.all().delete()
    settings.PRIVATE_ENDPOINTS = True
    answer = administrator_again().post(
        reverse("admin:notifications_provideraccount_add"), form("twilio", endpoint=private)
    )
    assert answer.status_code == 302


def administrator_again() -> Any:
    browser = Client()
    browser.force_login(User.objects.get(username="admin"))
    return browser


@pytest.mark.parametrize(
    ("provider", "credentials"),
    [
        ("twilio", {"account_sid": f' "{SID}" ', "auth_token": f"{TOKEN}\n"}),
        ("twilio", {"accountSid": SID, "AUTH-TOKEN": TOKEN}),
        ("apns", but("apns", key_p8=P8.replace("\n", "\\n"))),
        ("apns", but("apns", key_p8=P8.replace("\n", " "))),
        ("apns", but("apns", key_id=" ABC123DEFG ")),
        ("fcm", FILE),
        ("fcm", {"service_account": FILE}),
        ("fcm", {"service_account": {**FILE, "private_key": FILE["private_key"].replace("\n", "\\n")}}),
    ],
)
def test_what_was_pasted_carelessly_is_understood(provider: str, credentials: dict[str, Any]) -> None:
    assert complaint(**form(provider, new_credentials=credentials)) == ""
    assert stored() == GOOD[provider][0]


def test_a_key_with_its_real_line_breaks_may_stand_in_the_json() -> None:
    written = json.dumps(GOOD["apns"][0]).replace("\\n", "\n")
    assert complaint(**form("apns", new_credentials=written)) == ""
    assert stored()["key_p8"] == P8


@pytest.mark.parametrize("provider", GOOD)
def test_no_complaint_repeats_a_secret_outside_the_field_in_which_it_stands(provider: str) -> None:
    credentials, _ = GOOD[provider]
    page = complaint(**form(provider, settings={"nothing": "x"}))
    outside = re.sub(r"<textarea.*?</textarea>", "", page, flags=re.DOTALL)
    for secret in credentials.values():
        assert secret not in outside
        assert secret.replace("\n", "\\n") not in outside


def test_the_page_says_what_the_provider_wants() -> None:
    page = complaint(**form("vonage", new_credentials="{}"))
    assert "api_secret" in page
    assert "one of the account&#x27;s two API secrets" in page


@pytest.mark.parametrize("provider", GOOD)
def test_the_page_of_a_new_account_explains_the_provider_that_was_chosen(provider: str) -> None:
    address = reverse("admin:notifications_provideraccount_add")
    page = shown(administrator().get(address, {"provider": provider}))
    assert f'<option value="{provider}" selected>' in page
    for name in GOOD[provider][0]:
        assert f"<code>{name}</code>" in page
        assert f"&quot;{name}&quot;: &quot;…&quot;" in page
    assert f'href="?provider={provider}"' in shown(administrator_again().get(address))


# --- the provider is asked ---------------------------------------------------------------------------
def changed(account: ProviderAccount, **changes: Any) -> str:
    values = form(account.provider, name=account.name, endpoint=account.endpoint, settings=account.settings, **changes)
    address = reverse("admin:notifications_provideraccount_change", args=[account.pk])
    return shown(administrator().post(address, values, follow=True))


def test_credentials_that_were_revoked_are_refused_when_saved(providers: Running, settings: Settings) -> None:
    settings.PRIVATE_ENDPOINTS = True
    account = ProviderAccount.objects.get(name="twilio-live")
    page = changed(account, new_credentials={"account_sid": SID, "auth_token": TOKEN}, ask_provider="on")
    assert "twilio does not take these credentials" in page
    assert ProviderAccount.objects.get(name="twilio-live").credentials == account.credentials


def test_credentials_that_hold_are_saved_and_said_so(providers: Running, settings: Settings) -> None:
    settings.PRIVATE_ENDPOINTS = True
    account = ProviderAccount.objects.get(name="sendgrid-live")
    page = changed(account, new_credentials=vault.unseal(account.credentials), ask_provider="on")
    assert "Sendgrid: The API key may send." in page


def test_a_provider_that_says_nothing_just_now_is_no_reason_to_refuse(providers: Running, settings: Settings) -> None:
    settings.PRIVATE_ENDPOINTS = True
    providers.admin("PUT", "faults/sendgrid", {"status": 503})
    account = ProviderAccount.objects.get(name="sendgrid-live")
    page = changed(account, new_credentials=vault.unseal(account.credentials), ask_provider="on")
    assert "SendGrid answered 503" in page
    assert "errornote" not in page


def test_nobody_is_asked_where_credentials_stay(providers: Running, settings: Settings) -> None:
    settings.PRIVATE_ENDPOINTS = True
    account = ProviderAccount.objects.get(name="sendgrid-live")
    changed(account, new_credentials="", ask_provider="on")
    assert providers.admin("GET", "counts").json()["providers"].get("sendgrid", {}).get("requests", 0) == 0
