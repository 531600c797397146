"""What can be done with one account on its page, against simulators that answer as the real services do."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.channels import Channel
from accounts.suppressions import Cause, suppress
from notifications import trying, vault
from notifications.models import ProviderAccount
from notifications.providers import registry
from tests.builders import administrator, device, fcm_token, iphone, person, shown, witness
from tests.notifications.account_pages import address, named, spoilt, told
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

NAMES = ["apns", "fcm", "jpush", "pushy", "twilio", "vonage", "sendgrid", "mandrill", "smtp"]
#: An address of each account's channel that the sandbox takes.
ADDRESSES = {
    "apns": "ab" * 32,
    "fcm": fcm_token(),
    "jpush": "1a0018970aa2b9e8c44",
    "pushy": "a6345d0278adc55d3474f5",
    "twilio": "+82 10-1234-5678",
    "vonage": "+821012345678",
    "sendgrid": "Jimin@Example.com",
    "mandrill": "jimin@example.com",
    "smtp": "jimin@example.com",
}


def secrets_of(account: ProviderAccount) -> list[str]:
    found = []
    for value in vault.unseal(account.credentials).values():
        found += [value, json.dumps(value)[1:-1]]
    return [value for value in found if len(value) > 15]


# --- check credentials -------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_good_credentials_are_called_good(providers: Running, name: str) -> None:
    page = told(administrator(), "check", named(f"{name}-live"))
    assert 'class="success"' in page
    assert f"Account {name}-live: " in page


@pytest.mark.parametrize("name", NAMES)
def test_bad_credentials_are_called_bad_and_never_shown(providers: Running, name: str) -> None:
    account = spoilt(named(f"{name}-live"))
    page = told(administrator(), "check", account)
    assert 'class="error"' in page
    for secret in secrets_of(account):
        assert secret not in page


@pytest.mark.parametrize("name", NAMES)
def test_a_check_reaches_nobody(providers: Running, name: str) -> None:
    told(administrator(), "check", named(f"{name}-live"))
    counts = providers.admin("GET", "counts").json()["providers"]
    # a mail server notes down nothing before a recipient is named
    assert counts[name]["accepted"] == 0 if name != "smtp" else name not in counts


@pytest.mark.parametrize("name", [name for name in NAMES if name != "smtp"])
def test_a_service_that_fails_just_now_is_neither(providers: Running, name: str) -> None:
    providers.admin("PUT", f"faults/{name}", {"status": 503})
    assert 'class="warning"' in told(administrator(), "check", named(f"{name}-live"))


def test_a_service_that_does_not_answer_is_waited_for_no_longer_than_ten_seconds(
    providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.trying.PATIENCE", 0.3)
    providers.admin("PUT", "faults/twilio", {"mode": "timeout"})
    page = told(administrator(), "check", named("twilio-live"))
    assert "gave no answer" in page


def test_the_two_requests_of_a_try_take_less_than_ten_seconds_together() -> None:
    assert 2 * trying.PATIENCE < 10


def test_an_endpoint_where_nobody_listens_is_told(providers: Running) -> None:
    account = named("twilio-live")
    account.endpoint = "https://127.0.0.1:9"
    account.save()
    page = told(administrator(), "check", account)
    assert 'class="warning"' in page
    assert "127.0.0.1:9 could not be reached" in page


def test_credentials_that_no_key_opens_are_told(providers: Running) -> None:
    account = named("twilio-live")
    account.credentials = b"sealed with another key"
    account.save()
    assert "No key in VAULT_KEYS" in told(administrator(), "check", account)


@pytest.mark.parametrize("tool", ["check", "test"])
def test_an_account_of_a_provider_that_is_no_more_cannot_be_tried(providers: Running, tool: str) -> None:
    ProviderAccount.objects.filter(name="twilio-live").update(provider="pigeon")
    assert "igeon is not known here any more" in told(administrator(), tool, named("twilio-live"), {"to": "jimin"})


def test_a_service_that_cannot_be_asked_says_to_send_a_test(
    providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "prober_of", lambda _name: None)
    assert "send a test instead" in told(administrator(), "check", named("twilio-live"))


# --- send me a test ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_a_test_arrives(providers: Running, name: str) -> None:
    page = told(administrator(), "test", named(f"{name}-live"), {"to": ADDRESSES[name]})
    assert 'class="success"' in page
    assert "The provider took it" in page
    assert providers.admin("GET", "counts").json()["providers"][name]["accepted"] == 1


@pytest.mark.parametrize("name", ["twilio", "sendgrid", "apns"])
def test_a_recipient_is_found_by_external_id(providers: Running, name: str) -> None:
    jimin = person(phone="+821012345678", email="jimin@example.com")
    device(jimin, iphone())
    told(administrator(), "test", named(f"{name}-live"), {"to": "jimin"})
    assert providers.admin("GET", "counts").json()["providers"][name]["accepted"] == 1


@pytest.mark.parametrize(
    ("name", "to", "says"),
    [
        ("twilio", "", "required"),
        ("twilio", "12", "Not a phone number"),
        ("twilio", "jimin@example.com", "Not a phone number"),
        ("sendgrid", "+821012345678", "Not an email address"),
        ("apns", "+821012345678", "Not a token of apns"),
        ("fcm", "short", "Not a token of fcm"),
        ("twilio", "nophone", "has no phone"),
        ("sendgrid", "nophone", "has no email"),
        ("apns", "nophone", "no device that apns reaches"),
        ("twilio", "+821099999999", "suppressed"),
        ("twilio", "x" * 5000, "at most 4096"),
        ("twilio", "<script>", "Not a phone number"),
    ],
)
def test_an_address_that_is_none_is_told_on_the_page(providers: Running, name: str, to: str, says: str) -> None:
    person("nophone")
    suppress(Channel.SMS, "+821099999999", Cause.STOP, timezone.now(), witness())
    page = shown(administrator().post(address("test", named(f"{name}-live")), {"to": to}))
    assert says in page
    assert "<script>alert" not in page
    assert providers.admin("GET", "counts").json()["providers"].get(name, {}).get("accepted", 0) == 0


@pytest.mark.parametrize(
    ("name", "to", "level", "says"),
    [
        ("twilio", "+15005550001", "warning", "the address is not"),
        ("twilio", "+15005550004", "warning", "opted out"),
        ("vonage", "+447700900009", "error", "account is refused"),
        ("apns", "dead0410" + "0" * 56, "warning", "the address is not"),
        ("fcm", "quota-" + "x" * 40, "warning", "Too fast"),
    ],
)
def test_what_became_of_it_is_told_in_words(providers: Running, name: str, to: str, level: str, says: str) -> None:
    page = told(administrator(), "test", named(f"{name}-live"), {"to": to})
    assert f'class="{level}"' in page
    assert says in page


# --- who may -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("tool", ["check", "divert", "restore"])
def test_looking_changes_nothing(providers: Running, tool: str) -> None:
    assert administrator().get(address(tool, named("twilio-live"))).status_code == 405
    assert named("twilio-live").diverted_to is None


def test_the_page_of_the_test_sends_nothing_by_being_opened(providers: Running) -> None:
    page = shown(administrator().get(address("test", named("twilio-live"))))
    assert "phone number" in page
    assert providers.admin("GET", "counts").json()["providers"].get("twilio", {}).get("requests", 0) == 0


TOOLS = ["check", "test", "divert", "restore"]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_stranger_is_sent_to_the_door(providers: Running, tool: str) -> None:
    answer = Client().post(address(tool, named("twilio-live")), {"to": "+821012345678"})
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


@pytest.mark.parametrize("tool", TOOLS)
def test_who_may_only_look_is_refused(providers: Running, tool: str) -> None:
    user = User.objects.create(username="viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_provideraccount"))
    browser = Client()
    browser.force_login(user)

    assert browser.post(address(tool, named("twilio-live")), {"to": "+821012345678"}).status_code == 403
    page = shown(browser.get(reverse("admin:notifications_provideraccount_change", args=[named("twilio-live").pk])))
    assert "Check credentials" not in page


@pytest.mark.parametrize("tool", TOOLS)
def test_a_form_from_elsewhere_is_refused(providers: Running, tool: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create(username="admin", is_staff=True, is_superuser=True))
    assert browser.post(address(tool, named("twilio-live")), {"to": "+821012345678"}).status_code == 403


@pytest.mark.parametrize("tool", TOOLS)
def test_an_account_that_is_not_there_is_not_found(providers: Running, tool: str) -> None:
    gone = ProviderAccount(name="gone", provider="twilio")
    assert administrator().post(address(tool, gone)).status_code == 404


def test_whatever_was_done_stands_in_the_history(providers: Running) -> None:
    browser, account = administrator(), named("twilio-live")
    told(browser, "check", account)
    told(browser, "test", account, {"to": "+821012345678"})
    told(browser, "divert", account)
    told(browser, "restore", account)

    page = shown(browser.get(reverse("admin:notifications_provideraccount_history", args=[account.pk])))

    for words in ("Checked the credentials: works", "Sent a test: works", "Diverted to twilio-test", "itself again"):
        assert words in page
