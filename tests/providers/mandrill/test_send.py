import json
from typing import Any

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
from notifications.providers.mandrill.send import ERRORS, REJECTIONS, STANDSTILLS, STATUSES, Mandrill
from notifications.vocabulary import Urgency
from templates_app.content import EmailText
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, message, response
from tests.providers.published import assert_fits, specification

ADDRESS = "kim@people.example"
PLAIN = EmailText("재입고 알림", html="<p>안녕하세요</p>", text="안녕하세요")


def account(api_key: str = "md-key", from_email: str = "hello@bongsu.example", **settings: str) -> Account:
    return Account("mail", "https://mandrill.test", {"api_key": api_key}, {"from_email": from_email, **settings})


def nobody(_request: Request) -> Exchange:
    raise AssertionError("Mandrill has no tokens")


def compose(
    text: EmailText = PLAIN, address: str = ADDRESS, urgency: Urgency = Urgency.NORMAL, **settings: str
) -> Request:
    return Mandrill().compose(message(text, address, urgency=urgency), account(**settings), None)


def sent(request: Request) -> Any:
    return json.loads(request.body)["message"]


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_a_mail_to_one_person_with_the_deliverys_id() -> None:
    request = compose(from_name="봉수", reply_to="ask@bongsu.example")
    assert (request.method, request.url) == ("POST", "https://mandrill.test/api/1.4/messages/send.json")
    assert request.headers == {"content-type": "application/json"}
    assert json.loads(request.body) == {
        "key": "md-key",
        "message": {
            "from_email": "hello@bongsu.example",
            "from_name": "봉수",
            "to": [{"email": ADDRESS, "type": "to"}],
            "subject": "재입고 알림",
            "headers": {"Reply-To": "ask@bongsu.example", "Message-ID": f"<{DELIVERY}@bongsu.example>"},
            "text": "안녕하세요",
            "html": "<p>안녕하세요</p>",
            "metadata": {"bongsu_delivery_id": str(DELIVERY)},
            "merge": False,
            "important": False,
        },
        "async": False,
    }


def test_the_bytes_of_a_request() -> None:
    assert compose(EmailText("s", text="t")).body == (
        b'{"key":"md-key","message":{"from_email":"hello@bongsu.example","to":[{"email":"kim@people.example",'
        b'"type":"to"}],"subject":"s","text":"t","headers":{"Message-ID":"<019ab0c1-1111-7222-8333-444455556666'
        b'@bongsu.example>"},"metadata":{"bongsu_delivery_id":"019ab0c1-1111-7222-8333-444455556666"},'
        b'"merge":false,"important":false},"async":false}'
    )


def test_every_attempt_is_the_same_mail() -> None:
    assert compose() == compose()


@pytest.mark.parametrize("urgency", Urgency)
def test_what_is_urgent_is_important(urgency: Urgency) -> None:
    assert sent(compose(urgency=urgency))["important"] is (urgency is Urgency.CRITICAL)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (EmailText("s", text="t"), {"text": "t"}),
        (EmailText("s", html="<p>h</p>"), {"html": "<p>h</p>"}),
        (EmailText("s", html="<p>h</p>", text="t"), {"html": "<p>h</p>", "text": "t"}),
        (
            EmailText("s", html="<p>h</p>", preheader="1 < 2"),
            {"html": "<p>h</p>"},  # whose preheader is in it already
        ),
    ],
)
def test_a_part_that_says_nothing_is_left_out(text: EmailText, parts: dict[str, str]) -> None:
    mail = sent(compose(text))
    assert {name: mail[name] for name in ("text", "html") if name in mail} == parts


def test_what_looks_like_a_merge_tag_stays_as_it_is() -> None:
    mail = sent(compose(EmailText("*|EMAIL|*", text="{{email}}")))
    assert (mail["subject"], mail["text"], mail["merge"]) == ("*|EMAIL|*", "{{email}}", False)


def test_a_subject_stays_one_line() -> None:
    assert sent(compose(EmailText("a\r\nBcc: eve@evil.example\n b", text="t")))["subject"] == (
        "a Bcc: eve@evil.example b"
    )


@pytest.mark.parametrize("address", ["a@x.example, b@y.example", "Kim <a@x.example>", "a@x.example\r\nBcc: b", ""])
def test_an_address_is_never_read_as_more_than_one(address: str) -> None:
    assert sent(compose(address=address))["to"] == [{"email": address, "type": "to"}]


def test_a_korean_domain_is_written_in_ascii() -> None:
    assert sent(compose(address="kim@한국.example"))["to"] == [{"email": "kim@xn--3e0b707e.example", "type": "to"}]


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("text", [PLAIN, EmailText("s", text="t"), EmailText("s", html="<p>h</p>", preheader="p")])
def test_what_is_sent_fits_mandrills_own_specification(text: EmailText, urgency: Urgency) -> None:
    document = specification("mandrill.json")
    message = document["components"]["schemas"]["MessagesRequestComponent"]
    whole = json.loads(compose(text, urgency=urgency, from_name="봉수", reply_to="ask@bongsu.example").body)
    assert_fits(whole["message"], {**message, "additionalProperties": False}, document)
    [_, request] = document["components"]["schemas"]["MessagesSendRequest"]["allOf"]
    assert set(whole) <= {"key", *request["properties"]}
    assert_fits(whole, request, document)
    server = document["servers"][0]["url"].removeprefix(Mandrill.default_endpoint)
    assert compose().url.removeprefix(f"https://mandrill.test{server}") in document["paths"]


# --- who we are --------------------------------------------------------------------------------------
def test_there_is_no_token() -> None:
    Mandrill().authorise(account(), AT, nobody)


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
        Mandrill().check(broken)


def test_a_complete_account_passes() -> None:
    Mandrill().check(account(from_name='봉수 "알림", 주식회사', reply_to="ask@bongsu.example"))


# --- what an answer means: one recipient's result ----------------------------------------------------
def result(status: str, **more: object) -> list[dict[str, object]]:
    return [{"email": ADDRESS, "status": status, "reject_reason": None, "queued_reason": None, "_id": "abc"} | more]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("sent", Accepted("abc")),
        ("queued", Accepted("abc")),
        ("scheduled", Accepted("abc")),
        # None of these may disable an address.
        ("invalid", ContentBad("invalid: the message cannot be sent to anybody")),
        ("rejected", Transient("rejected: not a word that is known")),
        ("something-new", Transient("200 something-new: not a word that is known")),
        (f"about {ADDRESS}", Transient("200: not a word that is known")),
        ("", Transient("200: not a word that is known")),
    ],
)
def test_every_status_has_its_outcome(status: str, expected: object) -> None:
    assert Mandrill().interpret(response(200, result(status))) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("hard-bounce", AddressDead),
        ("invalid", AddressDead),
        ("spam", OptedOut),
        ("unsub", OptedOut),
        # None of these may disable an address.
        ("soft-bounce", Transient),
        ("custom", ContentBad),
        ("rule", ContentBad),
        ("invalid-sender", CredentialBad),
        ("unsigned", CredentialBad),
        ("test-mode-limit", NoFunds),
        ("something-new", Transient),
        (f"about {ADDRESS}", Transient),
        ("", Transient),
    ],
)
def test_every_rejection_has_its_outcome(reason: str, expected: type) -> None:
    outcome = Mandrill().interpret(response(200, result("rejected", reject_reason=reason)))
    assert isinstance(outcome, expected)
    assert getattr(outcome, "detail", "").startswith("rejected")
    assert ADDRESS not in getattr(outcome, "detail", "")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("hourly-quota-exhausted", Ambiguous),
        ("monthly-limit-reached", Ambiguous),
        ("free-trial-sends-exhausted", Ambiguous),
        ("sending-paused", Ambiguous),
        ("sending-suspended", Ambiguous),
        ("account-suspended", Ambiguous),
        # On its way all the same.
        ("attachments", Accepted),
        ("multiple-recipients", Accepted),
        ("sending-backlogged", Accepted),
        ("something-new", Accepted),
        (None, Accepted),
    ],
)
def test_every_reason_for_a_queue_has_its_outcome(reason: str | None, expected: type) -> None:
    assert isinstance(Mandrill().interpret(response(200, result("queued", queued_reason=reason))), expected)


@pytest.mark.parametrize("status", ["sent", "scheduled"])
def test_what_is_sent_is_sent_whatever_else_is_said(status: str) -> None:
    said = result(status, queued_reason="hourly-quota-exhausted", reject_reason="hard-bounce")
    assert Mandrill().interpret(response(200, said)) == Accepted("abc")


@pytest.mark.parametrize("body", [[], result("sent") * 2, result("rejected", reject_reason="hard-bounce") * 2])
def test_another_number_of_results_than_one_says_nothing(body: object) -> None:
    assert isinstance(Mandrill().interpret(response(200, body)), Transient)


# --- what an answer means: an error ------------------------------------------------------------------
def refusal(name: str, said: str = f"about {ADDRESS}") -> dict[str, object]:
    return {"status": "error", "code": -1, "name": name, "message": said}


@pytest.mark.parametrize("status", [400, 401, 402, 404, 422, 429, 500, 503])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Invalid_Key", CredentialBad),
        ("ValidationError", ContentBad),
        ("PaymentRequired", NoFunds),
        ("RequestLimitExceeded", Throttled),
        ("ServiceUnavailable", Transient),
        ("GeneralError", Transient),
        ("Invalid_Tag_Name", ContentBad),
        ("Invalid_Template", ContentBad),
        ("Unknown_Template", ContentBad),
        ("Unknown_MetadataField", ContentBad),
        ("Unknown_Subaccount", CredentialBad),
        ("Unknown_Sender", CredentialBad),
        ("Unknown_Domain", CredentialBad),
        ("Unknown_TrackingDomain", CredentialBad),
        ("Unknown_Pool", CredentialBad),
        ("Unknown_IP", CredentialBad),
    ],
)
def test_every_name_of_an_error_has_its_outcome_whatever_the_status(name: str, expected: type, status: int) -> None:
    # version 1.0 of the API says 500 with every one of them
    outcome = Mandrill().interpret(response(status, refusal(name)))
    assert isinstance(outcome, expected)
    assert getattr(outcome, "detail", "").startswith(f"{status} {name}: ")
    assert ADDRESS not in getattr(outcome, "detail", "")


#: Other methods say these: of webhooks, exports, lists, inbound email and dedicated addresses.
OF_OTHER_METHODS = {
    "Invalid_CustomDNS", "Invalid_DeleteDefaultPool", "Invalid_EmptyDefaultPool", "Invalid_Reject",
    "Invalid_Verified_Domain", "Invalid_Verified_TrackingDomain", "Invalid_Version",
    "MC_Exception_InvalidTrackingDomain", "Unknown_Export", "Unknown_InboundDomain", "Unknown_InboundRoute",
    "Unknown_Message", "Unknown_Webhook",
}  # fmt: skip


@pytest.mark.parametrize("name", [*sorted(OF_OTHER_METHODS), "Something_New", f"about {ADDRESS}", ""])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, ContentBad),
        (401, CredentialBad),
        (402, NoFunds),
        (403, CredentialBad),
        (404, CredentialBad),
        (405, CredentialBad),
        (413, ContentBad),
        (422, ContentBad),
        (429, Throttled),
        (500, Transient),
        (503, Transient),
        (418, Transient),
        (202, Transient),
    ],
)
def test_without_a_known_name_the_status_decides(name: str, status: int, expected: type) -> None:
    outcome = Mandrill().interpret(response(status, refusal(name)))
    assert isinstance(outcome, expected)
    assert getattr(outcome, "detail", "").startswith(f"{status}")
    assert ADDRESS not in getattr(outcome, "detail", "")


def rows_of(test: Any) -> set[Any]:
    return {row[0] for mark in test.pytestmark for row in mark.args[1] if isinstance(row, tuple)}


def test_the_tables_have_no_line_that_is_not_tested() -> None:
    assert set(REJECTIONS) <= rows_of(test_every_rejection_has_its_outcome)
    assert set(STANDSTILLS) <= rows_of(test_every_reason_for_a_queue_has_its_outcome)
    assert set(ERRORS) <= rows_of(test_every_name_of_an_error_has_its_outcome_whatever_the_status)
    assert set(STATUSES) <= rows_of(test_without_a_known_name_the_status_decides)


def test_every_word_of_mandrills_own_specification_is_tested() -> None:
    schemas = specification("mandrill.json")["components"]["schemas"]
    words = schemas["MessagesSendResult"]["properties"]
    assert set(words["status"]["enum"]) <= rows_of(test_every_status_has_its_outcome)
    assert set(words["reject_reason"]["enum"]) <= rows_of(test_every_rejection_has_its_outcome)
    assert set(words["queued_reason"]["enum"]) <= rows_of(test_every_reason_for_a_queue_has_its_outcome)
    names = {schema["example"]["name"] for name, schema in schemas.items() if name.endswith("Error")}
    assert names - OF_OTHER_METHODS <= rows_of(test_every_name_of_an_error_has_its_outcome_whatever_the_status)


@pytest.mark.parametrize("name", ["RequestLimitExceeded", "ServiceUnavailable", "GeneralError", "Something_New"])
def test_mandrills_wish_for_patience_is_passed_on(name: str) -> None:
    outcome = Mandrill().interpret(response(503, refusal(name), retry_after="7"))
    assert isinstance(outcome, Throttled | Transient)
    assert outcome.retry_after == 7


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, Transient), (401, CredentialBad), (422, ContentBad), (429, Throttled), (502, Transient)],
)
def test_an_unreadable_answer_is_judged_by_its_status_and_kills_no_address(
    status: int, expected: type, body: bytes
) -> None:
    assert isinstance(Mandrill().interpret(response(status, body)), expected)
