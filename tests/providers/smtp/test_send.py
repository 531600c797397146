import email
import email.policy
from email.message import EmailMessage

import pytest

from notifications.providers.contract import (
    Account,
    BadAccount,
    ContentBad,
    Envelope,
    Exchange,
    Request,
    Unsendable,
)
from notifications.providers.smtp.send import Smtp
from notifications.wire.dialogue import check
from templates_app.content import EmailText
from tests.providers.examples import AT, DELIVERY, message

ADDRESS = "kim@people.example"
PLAIN = EmailText("재입고 알림", html="<p>안녕하세요</p>", text="안녕하세요")


def account(
    endpoint: str = "smtp://mail.test:587",
    username: str = "postbote",
    password: str = "geheim",
    from_email: str = "hello@bongsu.example",
    **settings: str,
) -> Account:
    credentials = {"username": username, "password": password}
    return Account("mail", endpoint, credentials, {"from_email": from_email, **settings})


def nobody(_request: Request) -> Exchange:
    raise AssertionError("a mail server has no tokens")


def compose(text: EmailText = PLAIN, address: str = ADDRESS, **settings: str) -> Envelope:
    return Smtp().compose(message(text, address), account(**settings), None)


def read(envelope: Envelope) -> EmailMessage:
    """The mail as somebody else reads it: Python's parser."""
    found = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert [part.defects for part in found.walk() if part.defects] == []
    return found


def shown(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n")


# --- what is sent ------------------------------------------------------------------------------------
def test_a_message_is_a_mail_to_one_person_with_the_deliverys_id() -> None:
    envelope = compose(from_name="봉수", reply_to="ask@bongsu.example")
    assert (envelope.url, envelope.hello) == ("smtp://mail.test:587", "bongsu.example")
    assert (envelope.username, envelope.password) == ("postbote", "geheim")
    assert (envelope.sender, envelope.recipient) == ("hello@bongsu.example", ADDRESS)
    mail = read(envelope)
    assert dict(mail.items()) == {
        "From": "봉수 <hello@bongsu.example>",
        "Reply-To": "ask@bongsu.example",
        "To": ADDRESS,
        "Subject": "재입고 알림",
        "Date": "Mon, 23 Nov 2026 12:00:00 +0000",
        "Message-ID": f"<{DELIVERY}@bongsu.example>",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="=_{DELIVERY.hex}"',
    }
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert (shown(mail, "plain"), shown(mail, "html")) == ("안녕하세요", "<p>안녕하세요</p>")


def test_the_bytes_of_a_mail() -> None:
    assert compose(EmailText("s", html="<p>h", text="t\n.\n")).content == (
        b"From: hello@bongsu.example\r\nTo: kim@people.example\r\nSubject: s\r\n"
        b"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n"
        b"Message-ID: <019ab0c1-1111-7222-8333-444455556666@bongsu.example>\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="=_019ab0c1111172228333444455556666"\r\n'
        b"\r\n--=_019ab0c1111172228333444455556666\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n\r\nt\r\n.\r\n--=_019ab0c1111172228333444455556666\r\n"
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n<p>h\r\n"
        b"--=_019ab0c1111172228333444455556666--\r\n"
    )


def test_every_attempt_is_the_same_mail() -> None:
    assert compose() == compose()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (EmailText("s", text="t"), {"plain": "t"}),
        (EmailText("s", html="<p>h</p>"), {"html": "<p>h</p>"}),
        (
            EmailText("s", html="<p>h</p>", preheader="1 < 2"),
            {"html": "<p>h</p>"},  # whose preheader is in it already
        ),
    ],
)
def test_a_part_that_says_nothing_is_left_out(text: EmailText, parts: dict[str, str]) -> None:
    mail = read(compose(text))
    assert not mail.is_multipart()
    assert {kind: shown(mail, kind) for kind in parts} == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line",
        "lines\nof\rall\r\nkinds\n",
        ".\n..\n.",
        "안녕하세요 " * 500,
        "x" * 5000,
        "x" * 998 + "\n" + "y" * 999,
        "\0\x1b[31m\x7f",
        "👩‍👩‍👧‍👦" * 50,
        f"--=_{DELIVERY.hex}",
        "From the beginning of a line",
    ],
)
def test_whatever_is_written_any_server_can_carry_and_it_reads_the_same(text: str) -> None:
    envelope = compose(EmailText("s", html="<p>h", text=text or " "))
    check(envelope)
    assert envelope.content.isascii()
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 998
    if "--=_" not in text:
        normal = (text or " ").replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
        assert shown(read(envelope), "plain") == normal


@pytest.mark.parametrize(
    "subject",
    [
        "short",
        "재입고",
        "기다리시던 상품이 다시 들어왔습니다 " * 8,
        "many short words " * 12,
        "a" * 200,
        "a" * 2000,
        "=?utf-8?q?not_meant?=",
        "👩‍👩‍👧‍👦" * 20,
        "tab\there",
        'quotes " and \\ and <tags>',
        "\x1b[31m red",
    ],
)
def test_a_subject_reads_as_it_was_written(subject: str) -> None:
    envelope = compose(EmailText(subject, text="t"))
    head = envelope.content.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= (78 if " " in subject or not subject.isascii() else 998)
    assert email.message_from_bytes(envelope.content, policy=email.policy.default)["subject"] == " ".join(
        subject.split()
    )


@pytest.mark.parametrize("evil", ["a\r\nBcc: e@evil.example", "a\nBcc: e@evil.example", "a\rBcc: e", "a\u2028Bcc: e"])
def test_no_header_can_be_slipped_in(evil: str) -> None:
    for envelope in (compose(EmailText(evil, text="t")), compose(from_name=evil)):
        head = envelope.content.partition(b"\r\n\r\n")[0]
        assert [line.partition(b":")[0] for line in head.replace(b"\r\n ", b"").split(b"\r\n")] == [
            b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type",
            *([b"Content-Transfer-Encoding"] if b"multipart" not in head else []),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "a@x.example, b@y.example",
        "a@x.example,b@y.example",
        "Kim <a@x.example>",
        "a@x.example>\r\nRCPT TO:<b@y.example",
        "a@x.example\r\nBcc: b",
        "a\0@x.example",
        "nobody",
        "@x.example",
        "",
    ],
)
def test_what_is_not_one_address_is_never_sent_and_never_suppressed(address: str) -> None:
    with pytest.raises(Unsendable) as refused:
        compose(address=address)
    assert refused.value.outcome == ContentBad("no mail server takes this for one address")


@pytest.mark.parametrize(
    ("address", "recipient", "shown_as"),
    [
        ("kim@한국.example", "kim@xn--3e0b707e.example", "kim@xn--3e0b707e.example"),
        ("kim+news@people.example", "kim+news@people.example", "kim+news@people.example"),
        ("kim,lee@people.example", "kim,lee@people.example", '"kim,lee"@people.example'),
        ('"kim,lee"@people.example', '"kim,lee"@people.example', '"kim,lee"@people.example'),
    ],
)
def test_an_address_stays_one(address: str, recipient: str, shown_as: str) -> None:
    envelope = compose(address=address)
    assert envelope.recipient == recipient
    assert f"To: {shown_as}\r\n".encode() in envelope.content


@pytest.mark.parametrize(
    "name", ["Bongsu", "Bongsu, Inc.", 'The "Shop"', "봉수 알림", "=?utf-8?q?x?=", "a\\b", "x" * 70]
)
def test_a_senders_name_reads_as_it_was_written(name: str) -> None:
    (sender,) = read(compose(from_name=name))["from"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, "hello@bongsu.example")


def test_bounces_may_go_elsewhere_and_we_may_greet_by_another_name() -> None:
    envelope = compose(bounces_to="bounces@bongsu.example", hello="worker-3.bongsu.example")
    assert (envelope.sender, envelope.hello) == ("bounces@bongsu.example", "worker-3.bongsu.example")
    assert read(envelope)["from"] == "hello@bongsu.example"


# --- who we are --------------------------------------------------------------------------------------
def test_there_is_no_token() -> None:
    Smtp().authorise(account(), AT, nobody)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (account(username=""), "lacks credential username"),
        (account(password=""), "lacks credential password"),
        (account(from_email=""), "lacks setting from_email"),
        (account(endpoint=""), "smtp://host:587"),
        (account(endpoint="smtp://mail.test:587/path"), "no path"),
        (account(from_email="nobody"), "from_email must be one address"),
        (account(from_email="a@x.example, b@x.example"), "from_email must be one address"),
        (account(from_email="hello@bongsu.example\r\nBcc: eve@evil.example"), "from_email must be one address"),
        (account(from_email="지민@bongsu.example"), "from_email must be one address"),
        (account(reply_to="nobody"), "reply_to must be one address"),
        (account(bounces_to="<>"), "bounces_to must be one address"),
        (account(hello="two words"), "hello must be"),
    ],
)
def test_an_account_that_cannot_work_is_told_why(broken: Account, complaint: str) -> None:
    with pytest.raises(BadAccount, match=complaint):
        Smtp().check(broken)


@pytest.mark.parametrize("endpoint", ["smtp://mail.test:587", "smtps://mail.test:465", "smtp://[::1]:2525"])
def test_a_complete_account_passes(endpoint: str) -> None:
    Smtp().check(account(endpoint, from_name='봉수 "알림", 주식회사', reply_to="ask@봉수.example"))
