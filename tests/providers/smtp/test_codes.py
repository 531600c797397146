"""Every reply has a meaning, and few of them are about the address."""

from typing import Any

import pytest

from notifications.providers.contract import (
    Accepted,
    AddressDead,
    ContentBad,
    CredentialBad,
    NoFunds,
    OptedOut,
    Response,
    Throttled,
    Transient,
)
from notifications.providers.smtp.codes import CODES, PASSING, PERMANENT
from notifications.providers.smtp.send import Smtp
from tests.providers.examples import HOSTILE_BODIES


def reply(text: str, command: str = "rcpt") -> Response:
    lines = "".join(f"{line}\r\n" for line in text.split("\n"))
    return Response(int(text[:3]), {"command": command}, lines.encode())


def outcome(text: str, command: str = "rcpt") -> Any:
    return Smtp().interpret(reply(text, command))


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("250 2.0.0 Ok: queued as 4F2A1BC3D", "4F2A1BC3D"),
        ("250 OK id=1sVbQx-0007Lk-2g", "1sVbQx-0007Lk-2g"),
        ("250 2.6.0 <x@y> [InternalId=123456789, Hostname=a.example] Queued mail for delivery", "123456789"),
        ("250 2.0.0 OK 1712345678 a1-20020a05 - gsmtp", ""),
        ("250 ", ""),
    ],
)
def test_what_was_taken_has_the_servers_own_id_where_it_says_one(text: str, ref: str) -> None:
    assert outcome(text, ".") == Accepted(ref)


#: Every line of the table of permanent refusals, said of a recipient.
PERMANENTLY = {
    AddressDead: ("1.1", "1.2", "1.3", "1.6", "1.10", "2.1"),
    # None of these may disable an address.
    CredentialBad: (
        "1.7", "1.8", "5.6", "7.4", "7.8", "7.9", "7.10", "7.11", "7.12", "7.13", "7.14", "7.20", "7.21", "7.22",
        "7.23", "7.24", "7.25", "7.26", "7.27",
    ),
    Transient: ("2.2", "3.1", "3.2", "3.5", "4.2", "4.3"),
    Throttled: ("5.3", "7.28"),
    NoFunds: ("4.5",),
    ContentBad: (
        "1.0", "1.4", "1.9", "2.0", "2.3", "2.4", "3.0", "3.3", "3.4", "4.0", "4.1", "4.4", "4.6", "4.7", "5.0", "5.1",
        "5.2", "5.4", "5.5", "6.0", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7", "6.8", "6.9", "6.10", "7.0",
        "7.1", "7.2", "7.3", "7.5", "7.6", "7.7", "7.15", "7.16", "7.17", "7.18", "7.19", "7.29", "7.30",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "subjects"), PERMANENTLY.items())
@pytest.mark.parametrize("command", ["rcpt", "."])
def test_every_enhanced_code_has_its_outcome(expected: type, subjects: tuple[str, ...], command: str) -> None:
    assert {subject: type(outcome(f"550 5.{subject} text", command)) for subject in subjects} == dict.fromkeys(
        subjects, expected
    )


def test_every_line_of_the_tables_is_tried() -> None:
    assert {subject for subjects in PERMANENTLY.values() for subject in subjects} == set(PERMANENT)
    assert set(PASSINGLY) == set(PASSING)
    assert set(PLAINLY) == set(CODES)


PASSINGLY = {"3.1": Throttled, "4.5": Throttled, "5.3": Throttled, "7.12": CredentialBad, "7.28": Throttled}


@pytest.mark.parametrize(("subject", "expected"), PASSINGLY.items())
def test_what_passes_is_told_from_too_much(subject: str, expected: type) -> None:
    assert isinstance(outcome(f"450 4.{subject} text"), expected)


PLAINLY = {
    421: Transient, 450: Transient, 451: Transient, 452: Throttled, 454: Transient, 455: Transient,
    432: CredentialBad, 530: CredentialBad, 534: CredentialBad, 535: CredentialBad, 538: CredentialBad,
    521: CredentialBad, 556: AddressDead, 552: Transient,
    # None of these may disable an address.
    500: ContentBad, 501: ContentBad, 502: ContentBad, 503: ContentBad, 504: ContentBad, 550: ContentBad,
    551: ContentBad, 553: ContentBad, 554: ContentBad, 555: ContentBad,
}  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), PLAINLY.items())
def test_without_an_enhanced_code_the_code_decides(code: int, expected: type) -> None:
    assert isinstance(outcome(f"{code} text"), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 5.99.99 text", ContentBad),
        ("599 text", ContentBad),
        ("450 4.99.99 text", Transient),
        ("499 text", Transient),
        ("354 text", Transient),
        # one of the two says that it passes
        ("450 5.1.1 no such user, says a policy service that is not sure", Transient),
        ("550 4.1.1 not now", Transient),
        ("451 4.7.1 greylisted", Transient),
        ("450 4.2.1 receiving mail too quickly", Transient),
        ("452 4.2.2 over quota", Throttled),
        ("421 4.7.0 too many connections", Transient),
        # figures in the text are no code
        ("550 your message of 5.1.1 was refused", ContentBad),
        ("550 15.1.1 text", ContentBad),
    ],
)
def test_what_is_unknown_or_in_doubt_disables_nothing(text: str, expected: type) -> None:
    assert isinstance(outcome(text), expected)


@pytest.mark.parametrize("command", ["connect", "ehlo", "starttls", "auth", "rset", "mail", ""])
@pytest.mark.parametrize("text", ["550 5.1.1 unknown", "550 5.7.1 refused", "554 no", "501 5.5.4 bad", "553 not yours"])
def test_before_a_recipient_is_named_a_refusal_is_about_us(text: str, command: str) -> None:
    assert isinstance(outcome(text, command), CredentialBad)


@pytest.mark.parametrize("text", ["552 5.3.4 too big", "554 5.6.1 not taken"])
def test_a_message_may_be_too_much_before_it_is_said(text: str) -> None:
    assert isinstance(outcome(text, "mail"), ContentBad)


@pytest.mark.parametrize(
    "text",
    [
        "554 5.7.1 <kim@people.example>: Relay access denied",
        "550 5.7.1 Unable to relay",
        "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
        "550 5.7.1 kim@people.example... Relaying denied",
        "550 relay not permitted",
    ],
)
def test_who_may_not_relay_has_not_logged_in(text: str) -> None:
    assert isinstance(outcome(text), CredentialBad)


def test_a_server_may_call_us_an_open_relay_without_our_account_being_wrong() -> None:
    assert isinstance(outcome("554 5.7.1 blocked: see the list of open relays", "."), ContentBad)


def test_details_name_codes_and_reasons_and_no_address() -> None:
    assert outcome("550-5.1.1 The email account kim@people.example\n550 5.1.1 does not exist") == AddressDead(
        "550 5.1.1 to the recipient: there is no such mailbox"
    )
    assert outcome("554-5.7.1 kim@people.example:\n554 5.7.1 see https://list.example", ".") == ContentBad(
        "554 5.7.1 to the message: a policy refuses it (5.7.1 (address) 5.7.1 see https://list.example)"
    )


@pytest.mark.parametrize("body", HOSTILE_BODIES)
@pytest.mark.parametrize("status", [0, 99, 354, 421, 550, 999])
def test_what_no_mail_server_says_disables_nothing(status: int, body: bytes) -> None:
    found = Smtp().interpret(Response(status, {"command": "rcpt"}, body))
    assert not isinstance(found, AddressDead | OptedOut | Accepted)
