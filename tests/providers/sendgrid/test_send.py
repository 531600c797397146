import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

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
    Request,
    Throttled,
    Transient,
)
from notifications.providers.sendgrid.send import STATUSES, SendGrid
from templates_app.content import EmailText
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, message, response
from tests.providers.published import assert_fits, specification

ADDRESS = "kim@people.example"
PLAIN = EmailText("재입고 알림", html="<p>안녕하세요</p>", text="안녕하세요")


def account(api_key: str = "SG.key", from_email: str = "hello@bongsu.example", **settings: str) -> Account:
    return Account("mail", "https://sendgrid.test", {"api_key": api_key}, {"from_email": from_email, **settings})


def nobody(_request: Request) -> Exchange:
    raise AssertionError("SendGrid has no tokens")


def compose(text: EmailText = PLAIN, address: str = ADDRESS, **settings: str) -> Request:
    return SendGrid().compose(message(text, address), account(**settings), None)


def sent(request: Request) -> Any:
    return json.loads(request.body)


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_a_mail_to_one_person_with_the_deliverys_id() -> None:
    request = compose(from_name="봉수")
    assert (request.method, request.url) == ("POST", "https://sendgrid.test/v3/mail/send")
    assert request.headers["authorization"] == "Bearer SG.key"
    assert request.headers["content-type"] == "application/json"
    assert set(request.headers) == {name.lower() for name in request.headers}
    assert sent(request) == {
        "personalizations": [{"to": [{"email": ADDRESS}], "custom_args": {"bongsu_delivery_id": str(DELIVERY)}}],
        "from": {"email": "hello@bongsu.example", "name": "봉수"},
        "headers": {"Message-ID": f"<{DELIVERY}@bongsu.example>"},
        "subject": "재입고 알림",
        "content": [
            {"type": "text/plain", "value": "안녕하세요"},
            {"type": "text/html", "value": "<p>안녕하세요</p>"},
        ],
    }


def test_every_attempt_is_the_same_mail() -> None:
    assert compose() == compose()


def test_answers_go_where_the_account_says() -> None:
    mail = sent(compose(reply_to="ask@bongsu.example"))
    assert mail.get("reply_to_list", [mail.get("reply_to")]) == [{"email": "ask@bongsu.example"}]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (EmailText("s", text="t"), ["text/plain"]),
        (EmailText("s", html="<p>h</p>"), ["text/html"]),
        (EmailText("s", html="<p>h</p>", text="t"), ["text/plain", "text/html"]),
    ],
)
def test_plain_text_stands_before_html_and_nothing_is_empty(text: EmailText, kinds: list[str]) -> None:
    assert [part["type"] for part in sent(compose(text))["content"]] == kinds


def test_a_subject_stays_one_line() -> None:
    assert sent(compose(EmailText("a\r\nBcc: eve@evil.example\n b", text="t")))["subject"] == (
        "a Bcc: eve@evil.example b"
    )


@pytest.mark.parametrize("address", ["a@x.example, b@y.example", "Kim <a@x.example>", "a@x.example\r\nBcc: b", ""])
def test_an_address_is_never_read_as_more_than_one(address: str) -> None:
    assert sent(compose(address=address))["personalizations"][0]["to"] == [{"email": address}]


def test_a_korean_domain_is_written_in_ascii() -> None:
    mail = sent(compose(address="kim@한국.example"))
    assert mail["personalizations"][0]["to"] == [{"email": "kim@xn--3e0b707e.example"}]


def test_the_preheader_is_in_the_html_already_and_is_not_put_there_twice() -> None:
    text = EmailText("s", html="<p>1 &lt; 2</p>", preheader="1 < 2")
    assert sent(compose(text))["content"] == [{"type": "text/html", "value": text.html}]


@pytest.mark.parametrize("text", [PLAIN, EmailText("s", text="t"), EmailText("s", html="<p>h</p>", preheader="p")])
def test_what_is_sent_fits_sendgrids_own_specification(text: EmailText) -> None:
    document = specification("sendgrid_mail_v3.json")
    body = document["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
    closed = {**body, "additionalProperties": False}
    assert_fits(sent(compose(text, from_name="봉수", reply_to="ask@bongsu.example")), closed, document)


# --- who we are --------------------------------------------------------------------------------------
def test_there_is_no_token() -> None:
    SendGrid().authorise(account(), AT, nobody)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (account(api_key=""), "lacks credential api_key"),
        (account(from_email=""), "lacks setting from_email"),
        (account(from_email="nobody"), "must each be one address"),
        (account(from_email="a@x.example, b@x.example"), "must each be one address"),
        (account(reply_to="nobody"), "must each be one address"),
        (account(from_email="hello@bongsu.example\r\nBcc: eve@evil.example"), "must each be one address"),
    ],
)
def test_an_account_that_cannot_work_is_told_why(broken: Account, complaint: str) -> None:
    with pytest.raises(BadAccount, match=complaint):
        SendGrid().check(broken)


def test_a_complete_account_passes() -> None:
    SendGrid().check(account(from_name='봉수 "알림", 주식회사', reply_to="ask@bongsu.example"))


# --- what an answer means ----------------------------------------------------------------------------
def refusal(*fields: str | None, said: str = "Bad Request") -> dict[str, object]:
    return {"errors": [{"message": said, "field": field, "help": None} for field in fields]}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, ContentBad),
        (401, CredentialBad),
        (403, CredentialBad),
        (404, CredentialBad),
        (405, CredentialBad),
        (413, ContentBad),
        (429, Throttled),
        (500, Transient),
        (503, Transient),
        (418, Transient),
        (200, Transient),  # said by SendGrid's own sandbox mode, and by proxies: nothing was sent
    ],
)
def test_every_status_has_its_outcome(status: int, expected: type) -> None:
    outcome = SendGrid().interpret(response(status, refusal(None, said=f"about {ADDRESS}")))
    assert isinstance(outcome, expected)
    assert getattr(outcome, "detail", "").startswith(f"{status}: ")
    assert ADDRESS not in getattr(outcome, "detail", "")


def test_the_table_has_no_status_that_is_not_tested() -> None:
    (table,) = test_every_status_has_its_outcome.pytestmark  # type: ignore[attr-defined]
    assert set(STATUSES) <= {status for status, _ in table.args[1]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["personalizations.0.to.0.email"], AddressDead),
        # None of these may disable an address.
        (["personalizations.0.to"], ContentBad),
        (["personalizations.0.to.0.name"], ContentBad),
        (["from.email"], ContentBad),
        (["personalizations.0.to.0.email", "subject"], ContentBad),
        (["subject"], ContentBad),
        ([None], ContentBad),
        ([], ContentBad),
    ],
)
def test_an_address_is_dead_only_where_it_alone_is_complained_about(fields: list[str], expected: type) -> None:
    assert isinstance(SendGrid().interpret(response(400, refusal(*fields))), expected)


@pytest.mark.parametrize("status", [403, 500])
def test_no_other_status_than_400_kills_an_address(status: int) -> None:
    outcome = SendGrid().interpret(response(status, refusal("personalizations.0.to.0.email")))
    assert not isinstance(outcome, AddressDead)


@pytest.mark.parametrize("status", [401, 403])
def test_used_up_credits_are_no_bad_credentials(status: int) -> None:
    outcome = SendGrid().interpret(response(status, refusal(None, said="Maximum credits exceeded")))
    assert isinstance(outcome, NoFunds)


def test_a_bad_field_is_named() -> None:
    assert SendGrid().interpret(response(400, refusal("subject"))) == ContentBad(
        "400: the message is malformed (subject)"
    )


def test_an_accepted_mail_has_sendgrids_id() -> None:
    assert SendGrid().interpret(response(202, x_message_id="14c5d75ce93")) == Accepted("14c5d75ce93")


NOON = format_datetime(datetime(2026, 11, 23, 12, tzinfo=UTC), usegmt=True)
NOON_IN_SECONDS = int(AT.timestamp())


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7),
        ({"date": NOON, "x_ratelimit_reset": str(NOON_IN_SECONDS + 42)}, 42),
        ({"date": NOON, "x_ratelimit_reset": str(NOON_IN_SECONDS - 42)}, 0),
        ({"x_ratelimit_reset": str(NOON_IN_SECONDS + 42)}, None),  # no clock but the answer's own
        ({"date": NOON, "x_ratelimit_reset": "soon"}, None),
        ({"date": NOON}, None),
    ],
)
def test_sendgrids_wish_for_patience_is_passed_on(headers: dict[str, str], wait: float | None) -> None:
    outcome = SendGrid().interpret(response(429, **headers))
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == wait


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, ContentBad), (401, CredentialBad), (429, Throttled), (502, Transient)],
)
def test_an_unreadable_answer_is_judged_by_its_status_and_kills_no_address(
    status: int, expected: type, body: bytes
) -> None:
    assert isinstance(SendGrid().interpret(response(status, body)), expected)
