from base64 import b64decode
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import pytest

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    BadAccount,
    ContentBad,
    CredentialBad,
    Exchange,
    NoFunds,
    OptedOut,
    Request,
    Throttled,
    Transient,
)
from notifications.providers.twilio.send import CODES, Twilio
from templates_app.content import SmsText
from tests.providers.examples import AT, HOSTILE_BODIES, message, response
from tests.providers.published import assert_fits, specification

SID = "AC" + "0f" * 16
SERVICE = "MG" + "1e" * 16
ADDRESS = "+821012345678"
CALLBACK = "https://bongsu.test/webhooks/twilio/019ab0c1-1111-7222-8333-444455556666"
PLAIN = SmsText("[봉수] 인증번호 & 코드 = 123456")


def account(sender: str = "+15005550006", **credentials: str) -> Account:
    return Account(
        "twilio", "https://twilio.test", {"account_sid": SID, "auth_token": "s3cret", **credentials}, {"sender": sender}
    )


def nobody(_request: Request) -> Exchange:
    raise AssertionError("Twilio has no tokens")


def compose(text: SmsText = PLAIN, sender: str = "+15005550006", **overrides: object) -> Request:
    return Twilio().compose(message(text, ADDRESS, **overrides), account(sender), None)


def form(request: Request) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(request.body.decode(), strict_parsing=True).items()}


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_a_form_with_the_credentials() -> None:
    request = compose()
    assert (request.method, request.url) == (
        "POST",
        f"https://twilio.test/2010-04-01/Accounts/{SID}/Messages.json",
    )
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    scheme, _, pair = request.headers["authorization"].partition(" ")
    assert (scheme, b64decode(pair)) == ("Basic", f"{SID}:s3cret".encode())
    assert form(request) == {"To": ADDRESS, "From": "+15005550006", "Body": PLAIN.body}


@pytest.mark.parametrize(
    ("sender", "field"), [("+15005550006", "From"), ("Bongsu", "From"), (SERVICE, "MessagingServiceSid")]
)
def test_the_sender_is_a_number_a_name_or_a_messaging_service(sender: str, field: str) -> None:
    fields = form(compose(sender=sender))
    assert fields[field] == sender
    assert len({"From", "MessagingServiceSid"} & set(fields)) == 1


def test_receipts_are_asked_for_where_there_is_a_place_for_them() -> None:
    assert form(compose(callback_url=CALLBACK))["StatusCallback"] == CALLBACK
    assert "StatusCallback" not in form(compose())


@pytest.mark.parametrize(
    ("expires_at", "validity"),
    [
        (AT + timedelta(minutes=5), "300"),
        (AT + timedelta(days=2), "36000"),  # ten hours, as long as Twilio queues anything
        (AT + timedelta(milliseconds=100), "1"),
        (AT - timedelta(seconds=5), "1"),
    ],
)
def test_twilio_gives_up_when_the_message_expires(expires_at: datetime, validity: str) -> None:
    assert form(compose(expires_at=expires_at))["ValidityPeriod"] == validity


def test_a_message_without_an_end_has_twilios_own() -> None:
    assert "ValidityPeriod" not in form(compose())


@pytest.mark.parametrize("sender", ["+15005550006", SERVICE])
def test_what_is_sent_fits_twilios_own_specification(sender: str) -> None:
    document = specification("twilio_api_v2010.json")
    operation = document["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"]
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    request = compose(sender=sender, callback_url=CALLBACK, expires_at=AT + timedelta(hours=1))
    # A form knows text alone; the specification says which text is a number.
    fields = {
        name: int(value) if schema["properties"][name]["type"] == "integer" else value
        for name, value in form(request).items()
    }
    assert_fits(fields, {**schema, "additionalProperties": False}, document)
    [parameter] = operation["parameters"]
    assert_fits(request.url.split("/")[5], parameter["schema"], document)


# --- who we are --------------------------------------------------------------------------------------
def test_there_is_no_token() -> None:
    Twilio().authorise(account(), AT, nobody)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (account(account_sid=""), "lacks credential account_sid"),
        (account(auth_token=""), "lacks credential auth_token"),
        (account(sender=""), "lacks setting sender"),
        (account(account_sid="SK" + "0f" * 16), "AC and 32 hexadecimal digits"),
        (account(account_sid="AC"), "AC and 32 hexadecimal digits"),
        (account(account_sid="AC../../" + "0f" * 13), "AC and 32 hexadecimal digits"),
    ],
)
def test_an_account_that_cannot_work_is_told_why(broken: Account, complaint: str) -> None:
    with pytest.raises(BadAccount, match=complaint):
        Twilio().check(broken)


def test_a_complete_account_passes() -> None:
    Twilio().check(account())


# --- what an answer means ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, 21610, OptedOut),
        (400, 21211, AddressDead),
        (400, 21614, AddressDead),
        (400, 21635, AddressDead),
        (400, 30005, AddressDead),
        (400, 30006, AddressDead),
        # None of these may disable a number.
        (400, 21408, ContentBad),
        (400, 21617, ContentBad),
        (400, 30004, ContentBad),
        (400, 30007, ContentBad),
        (400, 30036, ContentBad),
        (400, 30003, Transient),
        (400, 30008, Transient),
        (401, 20003, CredentialBad),
        (400, 21603, CredentialBad),
        (400, 21606, CredentialBad),
        (400, 30002, NoFunds),
        (429, 20429, Throttled),
        (429, 21611, Throttled),
        (400, 30001, Throttled),
        (429, 63017, Throttled),
        # A code that is not in the table.
        (400, 99999, Transient),
        (401, 99999, CredentialBad),
        (403, 99999, CredentialBad),
        (429, 99999, Throttled),
        (500, 20500, Transient),
        (503, 20503, Transient),
    ],
)
def test_every_code_has_its_outcome(status: int, code: int, expected: type) -> None:
    outcome = Twilio().interpret(response(status, {"code": code, "message": f"said of {ADDRESS}", "status": status}))
    assert isinstance(outcome, expected)
    assert str(code) in getattr(outcome, "detail", "")
    assert ADDRESS not in getattr(outcome, "detail", "")


def test_the_table_has_no_code_that_is_not_tested() -> None:
    (table,) = test_every_code_has_its_outcome.pytestmark  # type: ignore[attr-defined]
    assert set(CODES) <= {code for _, code, _ in table.args[1]}


def test_an_accepted_message_has_twilios_id() -> None:
    answer = response(201, {"sid": "SM" + "2d" * 16, "status": "queued", "error_code": None})
    assert Twilio().interpret(answer) == Accepted("SM" + "2d" * 16)


def test_an_accepted_message_whose_answer_is_cut_stays_accepted() -> None:
    assert Twilio().interpret(response(201, b'{"sid": "SM2')) == Accepted("")


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (503, 20503)])
def test_twilios_wish_for_patience_is_passed_on(status: int, code: int) -> None:
    outcome = Twilio().interpret(response(status, {"code": code}, retry_after="7"))
    assert isinstance(outcome, Throttled | Transient)
    assert outcome.retry_after == 7


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, Transient), (401, CredentialBad), (403, CredentialBad), (429, Throttled), (502, Transient)],
)
def test_an_unreadable_answer_is_judged_by_its_status_and_kills_no_number(
    status: int, expected: type, body: bytes
) -> None:
    assert isinstance(Twilio().interpret(response(status, body)), expected)
