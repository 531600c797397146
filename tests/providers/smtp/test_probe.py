"""A mail server is asked whether it lets the account in and takes mail from its sender; nobody is named."""

import pytest

from notifications.providers.contract import Account, BadAccount, Envelope, Response
from notifications.providers.probing import Standing
from notifications.providers.smtp.probe import SmtpProbe
from tests.providers.examples import HOSTILE_BODIES

SETTINGS = {"from_email": "hello@bongsu.example", "bounces_to": "bounces@bongsu.example"}


def account(**settings: str) -> Account:
    return Account("mail", "smtp://mail.test:587", {"username": "postbote", "password": "geheim"}, settings)


def test_what_is_asked() -> None:
    assert SmtpProbe().probe(account(**SETTINGS), None) == Envelope(
        url="smtp://mail.test:587",
        hello="bongsu.example",
        username="postbote",
        password="geheim",
        sender="bounces@bongsu.example",
        recipient="",
        content=b"",
    )


def test_an_account_without_a_sender_is_told_so() -> None:
    with pytest.raises(BadAccount, match="from_email"):
        SmtpProbe().probe(account(), None)


@pytest.mark.parametrize(
    ("reply", "command", "standing"),
    [
        ("250 2.1.0 Ok", "mail", Standing.WORKS),
        ("535 5.7.8 Error: authentication failed", "auth", Standing.REFUSED),
        ("553 5.7.1 Sender address rejected: not owned by user", "mail", Standing.REFUSED),
        ("530 5.7.0 Authentication required", "mail", Standing.REFUSED),
        ("554 no mail here", "connect", Standing.REFUSED),
        ("454 4.7.0 Temporary authentication failure", "auth", Standing.UNCLEAR),
        ("421 4.3.2 shutting down", "connect", Standing.UNCLEAR),
    ],
)
def test_what_each_answer_shows(reply: str, command: str, standing: Standing) -> None:
    answer = Response(int(reply[:3]), {"command": command}, f"{reply}\r\n".encode())
    assert SmtpProbe().judge(answer).standing is standing


@pytest.mark.parametrize("body", HOSTILE_BODIES)
@pytest.mark.parametrize("status", [0, 354, 421, 999])
def test_what_no_mail_server_says_does_not_work(status: int, body: bytes) -> None:
    assert SmtpProbe().judge(Response(status, {"command": "mail"}, body)).standing is not Standing.WORKS
