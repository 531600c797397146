"""Who a text message is from, by where it goes."""

from urllib.parse import parse_qs

import pytest

from notifications.providers import registry
from notifications.providers.contract import Account, BadAccount, Provider, Request
from notifications.providers.senders import sender_for
from templates_app.content import SmsText
from tests.providers.examples import message

CREDENTIALS = {
    "twilio": {"account_sid": "AC" + "0f" * 16, "auth_token": "5" * 32},
    "vonage": {"api_key": "a1b2c3d4", "api_secret": "s3cret-of-vonage"},
}
FIELD = {"twilio": "From", "vonage": "from"}


def account(provider: str, sender: str = "BONGSU", senders: str = "") -> Account:
    settings = {"sender": sender} | ({"senders": senders} if senders else {})
    return Account(provider, "https://provider.test", CREDENTIALS[provider], settings)


@pytest.mark.parametrize(
    ("to", "sender"),
    [
        ("+821012345678", "15881234"),
        ("+15005550006", "+15005550001"),
        ("+14165550006", "+14165550001"),
        ("+447700900123", "UKSHOP"),
        ("+4915112345678", "BONGSU"),
        ("+8", "BONGSU"),
    ],
)
def test_the_longest_prefix_decides(to: str, sender: str) -> None:
    senders = "+1: +15005550001, 1416: +14165550001; 82: 15881234\n 44:UKSHOP,"
    assert sender_for({"sender": "BONGSU", "senders": senders}, to) == sender


def test_without_a_list_the_sender_is_the_same_everywhere() -> None:
    assert sender_for({"sender": "BONGSU"}, "+15005550006") == "BONGSU"


@pytest.mark.parametrize("name", ["twilio", "vonage"])
def test_both_services_send_by_it(name: str) -> None:
    provider: Provider = registry.provider(name)
    one = account(name, senders="1: +15005550001")

    def sent(to: str) -> str:
        request = provider.compose(message(SmsText("hi"), to), one, None)
        assert isinstance(request, Request)
        form = parse_qs(request.body.decode())
        return form[FIELD[name]][0].removeprefix("+")

    assert (sent("+15005550006"), sent("+821012345678")) == ("15005550001", "BONGSU")


def test_a_messaging_service_may_stand_for_a_country() -> None:
    service = "MG" + "0f" * 16
    provider = registry.provider("twilio")
    one = account("twilio", senders=f"1: {service}")
    provider.check(one)
    request = provider.compose(message(SmsText("hi"), "+15005550006"), one, None)
    assert isinstance(request, Request)
    form = parse_qs(request.body.decode())
    assert form["MessagingServiceSid"] == [service]
    assert "From" not in form


@pytest.mark.parametrize("name", ["twilio", "vonage"])
@pytest.mark.parametrize(
    ("senders", "says"),
    [
        ("1: SHOP", r"\+1 takes no names"),
        ("1416: SHOP", r"\+1416 takes no names"),
        ("44 SHOP", "a colon and a sender"),
        ("44:", "a colon and a sender"),
        ("GB: SHOP", "not the beginning of a number"),
        ("044: SHOP", "not the beginning of a number"),
        (": SHOP", "not the beginning of a number"),
        ("44: SHOP, +44: OTHER", r"\+44 stands there twice"),
        ("44: A NAME THAT IS TOO LONG", "is not a number"),
        ("44: 봉수", "is not a number"),
    ],
)
def test_a_list_that_cannot_work_is_told_why(name: str, senders: str, says: str) -> None:
    with pytest.raises(BadAccount, match=says):
        registry.provider(name).check(account(name, senders=senders))


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("twilio", "+821012345678"),
        ("twilio", "12345"),
        ("twilio", "Bongsu Shop"),
        ("twilio", "MG" + "0f" * 16),
        ("vonage", "447700900999"),
        ("vonage", "+447700900999"),
        ("vonage", "Bongsu"),
    ],
)
def test_what_a_service_takes_as_a_sender_passes(name: str, sender: str) -> None:
    registry.provider(name).check(account(name, sender))


@pytest.mark.parametrize(
    ("name", "sender", "says"),
    [
        ("twilio", "15005550006", r"perhaps \+15005550006"),
        ("twilio", "+1 500 555 0006", r"perhaps \+15005550006"),
        ("twilio", "+1", "a number in E.164"),
        ("twilio", "MG123", None),
        ("twilio", "AC" + "0f" * 16, "a number in E.164"),
        ("twilio", "A name too long", "up to 11"),
        ("twilio", "봉수", "up to 11"),
        ("vonage", "Bongsu Shop", "without spaces"),
        ("vonage", "+44 7700 900999", r"perhaps \+447700900999"),
    ],
)
def test_what_is_no_sender_is_told_why(name: str, sender: str, says: str | None) -> None:
    if says is None:  # eleven letters and digits: a name like any other
        registry.provider(name).check(account(name, sender))
        return
    with pytest.raises(BadAccount, match=says):
        registry.provider(name).check(account(name, sender))
