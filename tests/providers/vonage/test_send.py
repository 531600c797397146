from datetime import datetime, timedelta
from urllib.parse import parse_qs

import pytest

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    Ambiguous,
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
from notifications.providers.vonage.send import STATUSES, Vonage
from templates_app.content import PushText, SmsText
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, message, response
from tests.providers.published import assert_fits, specification

KEY, SECRET = "a1b2c3d4", "s3cret-of-vonage"
ADDRESS = "+821012345678"
WEBHOOK = "https://bongsu.test/v1/webhooks/vonage-live"
CALLBACK = f"{WEBHOOK}/{DELIVERY}"
PLAIN = SmsText("Your code & key = 123456")


def account(sender: str = "+447700900999", **credentials: str) -> Account:
    return Account(
        "vonage", "https://vonage.test", {"api_key": KEY, "api_secret": SECRET, **credentials}, {"sender": sender}
    )


def nobody(_request: Request) -> Exchange:
    raise AssertionError("Vonage has no tokens")


def compose(text: SmsText = PLAIN, sender: str = "+447700900999", **overrides: object) -> Request:
    return Vonage().compose(message(text, ADDRESS, **overrides), account(sender), None)


def form(request: Request) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(request.body.decode(), strict_parsing=True).items()}


def answered(*statuses: int | str) -> dict[str, object]:
    """An answer with an entry for each part, as Vonage writes it."""
    taken = {"to": ADDRESS.strip("+"), "remaining-balance": "3.14", "message-price": "0.03", "network": "45005"}
    return {
        "message-count": str(len(statuses)),
        "messages": [
            {"status": "0", "message-id": f"0A0000000123ABC{number}", **taken}
            if status == 0
            else {"status": str(status), "error-text": f"said of {ADDRESS}"}
            for number, status in enumerate(statuses, 1)
        ],
    }


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_a_form_with_the_credentials() -> None:
    request = compose(callback_url=CALLBACK, expires_at=AT + timedelta(minutes=5))
    assert (request.method, request.url) == ("POST", "https://vonage.test/sms/json")
    assert request.headers == {"content-type": "application/x-www-form-urlencoded"}
    assert request.body == (
        b"api_key=a1b2c3d4&api_secret=s3cret-of-vonage&from=447700900999&to=821012345678"
        b"&text=Your+code+%26+key+%3D+123456&type=text&client-ref=019ab0c1-1111-7222-8333-444455556666"
        b"&callback=https%3A%2F%2Fbongsu.test%2Fv1%2Fwebhooks%2Fvonage-live&ttl=300000"
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("Plain, with \n a line", "text"),
        ("{[€]} ^~\\|", "text"),
        ("[봉수] 인증번호", "unicode"),
        ("a “quotation”", "unicode"),
        ("🔥", "unicode"),
    ],
)
def test_what_the_seven_bit_alphabet_lacks_is_sent_as_unicode(body: str, kind: str) -> None:
    fields = form(compose(SmsText(body)))
    assert (fields["type"], fields["text"]) == (kind, body)


@pytest.mark.parametrize(
    ("sender", "sent"), [("+447700900999", "447700900999"), ("15005", "15005"), ("Bongsu", "Bongsu")]
)
def test_the_sender_is_a_number_without_its_plus_or_a_name(sender: str, sent: str) -> None:
    assert form(compose(sender=sender))["from"] == sent


def test_receipts_come_to_one_address_for_all_messages_where_there_is_a_place_for_them() -> None:
    assert form(compose(callback_url=CALLBACK))["callback"] == WEBHOOK
    assert "callback" not in form(compose())


def test_an_address_too_long_for_vonage_is_left_to_the_dashboard() -> None:
    longest = "https://bongsu.test/" + "x" * 80
    assert form(compose(callback_url=f"{longest}/{DELIVERY}"))["callback"] == longest
    assert "callback" not in form(compose(callback_url=f"{longest}y/{DELIVERY}"))


@pytest.mark.parametrize(
    ("expires_at", "ttl"),
    [
        (AT + timedelta(minutes=5), "300000"),
        (AT + timedelta(hours=1, microseconds=1999), "3600001"),
        (AT + timedelta(days=30), "604800000"),
        (AT + timedelta(seconds=3), "20000"),
        (AT - timedelta(seconds=5), "20000"),
    ],
)
def test_vonage_gives_up_when_the_message_expires(expires_at: datetime, ttl: str) -> None:
    assert form(compose(expires_at=expires_at))["ttl"] == ttl


def test_a_message_without_an_end_has_vonages_own() -> None:
    assert "ttl" not in form(compose())


@pytest.mark.parametrize("text", [PLAIN, SmsText("[봉수] 인증번호")])
def test_what_is_sent_fits_vonages_own_specification(text: SmsText) -> None:
    document = specification("vonage_sms.json")
    schema = document["components"]["schemas"]["NewMessage"]
    fields = form(compose(text, callback_url=CALLBACK, expires_at=AT + timedelta(hours=1)))
    # A form knows text alone; the specification says which text is a number.
    values = {
        name: int(value) if schema["properties"][name]["type"] == "integer" else value for name, value in fields.items()
    }
    assert_fits(values, {**schema, "additionalProperties": False}, document)
    assert len(fields["callback"]) <= 100


def test_only_a_text_message_can_be_sent() -> None:
    with pytest.raises(TypeError):
        Vonage().compose(message(PushText("title", "body"), ADDRESS), account(), None)


# --- who we are --------------------------------------------------------------------------------------
def test_there_is_no_token() -> None:
    Vonage().authorise(account(), AT, nobody)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (account(api_key=""), "lacks credential api_key"),
        (account(api_secret=""), "lacks credential api_secret"),
        (account(sender=""), "lacks setting sender"),
        (account(api_key="a1b2c3d"), "8 letters and digits"),
        (account(api_key="a1b2c3d4 "), "8 letters and digits"),
        (account(api_secret="short"), "6 to 32 characters"),
        (account(api_secret="x" * 33), "6 to 32 characters"),
        (account("A name too long"), "up to 11 characters"),
        (account("Two words"), "up to 11 characters"),
        (account("봉수"), "up to 11 characters"),
        (account("+01012345678"), "a number in E.164"),
        (account("1234567890123456"), "a number in E.164"),
    ],
)
def test_an_account_that_cannot_work_is_told_why(broken: Account, complaint: str) -> None:
    with pytest.raises(BadAccount, match=complaint) as caught:
        Vonage().check(broken)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("complete", [account(), account("Bongsu"), account("15005"), account(signature_secret="x")])
def test_a_complete_account_passes(complete: Account) -> None:
    Vonage().check(complete)


# --- what an answer means ----------------------------------------------------------------------------
OUTCOMES: dict[int, type] = {
    1: Throttled,
    7: OptedOut,
    9: NoFunds,
    10: Throttled,
    33: AddressDead,
    # None of these may disable a number.
    2: ContentBad,
    3: ContentBad,
    4: CredentialBad,
    5: Transient,
    6: ContentBad,
    8: CredentialBad,
    11: CredentialBad,
    12: ContentBad,
    14: CredentialBad,
    15: ContentBad,
    22: ContentBad,
    23: CredentialBad,
    29: CredentialBad,
    32: CredentialBad,
}


@pytest.mark.parametrize("status", range(1, 41))
def test_every_status_has_its_outcome_and_an_unknown_one_passes(status: int) -> None:
    outcome = Vonage().interpret(response(200, answered(status)))
    assert isinstance(outcome, OUTCOMES.get(status, Transient))
    detail = getattr(outcome, "detail", "")
    assert detail.startswith(f"{status}: ")
    assert ADDRESS not in detail


def test_the_table_has_every_status_of_the_specification_and_none_that_is_not_tested() -> None:
    assert set(STATUSES) == set(OUTCOMES)
    assert set(STATUSES) == set(map(int, specification("vonage_sms.json")["x-errors"]))


def test_an_accepted_message_has_vonages_id() -> None:
    assert Vonage().interpret(response(200, answered(0))) == Accepted("0A0000000123ABC1")


def test_a_long_message_is_accepted_when_every_part_is() -> None:
    assert Vonage().interpret(response(200, answered(0, 0, 0))) == Accepted("0A0000000123ABC1")


@pytest.mark.parametrize("statuses", [(0, 1), (1, 0), (0, 0, 9), (0, 7, 0), (0, 33), (0, 5), (0, 4), (0, 99)])
def test_a_message_taken_in_part_is_never_sent_again_and_blames_nobody(statuses: tuple[int, ...]) -> None:
    outcome = Vonage().interpret(response(200, answered(*statuses)))
    assert isinstance(outcome, ContentBad)
    assert outcome.detail.startswith(f"1 of {len(statuses)} parts were not taken")


def test_a_message_of_which_no_part_was_taken_means_what_the_first_one_says() -> None:
    assert isinstance(Vonage().interpret(response(200, answered(9, 1))), NoFunds)


@pytest.mark.parametrize("status", [1, 5, 10, 99])
def test_vonages_wish_for_patience_is_passed_on(status: int) -> None:
    outcome = Vonage().interpret(response(200, answered(status), retry_after="7"))
    assert isinstance(outcome, Throttled | Transient)
    assert outcome.retry_after == 7


@pytest.mark.parametrize(
    "body",
    [
        *HOSTILE_BODIES,
        b'{"messages": []}',
        b'{"messages": [{}]}',
        b'{"messages": [{"status": "zero"}]}',
        b'{"messages": [{"status": "-1"}]}',
        b'{"messages": [{"status": "' + b"9" * 5000 + b'"}]}',
        b'{"messages": [{"status": ' + b"9" * 5000 + b"}]}",
        b'{"messages": [{"status": "0", "message-id": "0A',
    ],
    ids=range(len(HOSTILE_BODIES) + 7),
)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        # It may have taken the message: only the category knows whether twice is better than never.
        (200, Ambiguous),
        (400, Transient),
        (401, CredentialBad),
        (403, CredentialBad),
        (429, Throttled),
        (502, Transient),
    ],
)
def test_an_unreadable_answer_is_judged_by_its_status_and_kills_no_number(
    status: int, expected: type, body: bytes
) -> None:
    assert isinstance(Vonage().interpret(response(status, body)), expected)
