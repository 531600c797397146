"""The sandbox's mail server takes what a real one takes: asked by Python's own smtplib, which knows nothing of ours."""

import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import uuid4

import pytest

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    ContentBad,
    CredentialBad,
    Exchange,
    NoAnswer,
    NotSent,
    Response,
    Throttled,
    Transient,
)
from notifications.providers.smtp.send import Smtp
from notifications.wire.wire import Wire
from templates_app.content import EmailText
from tests.providers.examples import message as rendered
from tests.sandbox.test_inbox import shown
from tests.sandbox.world import Ask, Running

FROM = "hello@bongsu.example"
TO = "kim@people.example"


def mail(delivery_id: str = "", **headers: str | None) -> EmailMessage:
    usual: dict[str, str | None] = {
        "From": f"봉수 <{FROM}>",
        "To": TO,
        "Subject": "재입고",
        "Date": "Mon, 23 Nov 2026 12:00:00 +0000",
        "Message-ID": f"<{delivery_id or uuid4()}@bongsu.example>",
    }
    made = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    for name, value in (usual | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value is not None:
            made[name] = value
    made.set_content("안녕하세요")
    made.add_alternative("<p>안녕하세요", subtype="html")
    return made


def sent(sandbox: Running, to: str = TO, *, content: bytes = b"", delivery_id: str = "") -> tuple[int, str]:
    """The reply that decides about one mail."""
    with sandbox.smtp() as client:
        client.ehlo()
        for verb, said in (("mail", client.mail(FROM)), ("rcpt", client.rcpt(to))):
            if said[0] >= 400:
                return said[0], f"{verb} {said[1].decode()}"
        code, words = client.data(content or mail(delivery_id).as_bytes())
        return code, f"data {words.decode()}"


# --- a good mail -------------------------------------------------------------------------------------
@pytest.mark.parametrize("port", ["smtp_port", "smtps_port"])
def test_a_good_mail_is_queued_and_recorded_whole(sandbox: Running, port: str) -> None:
    delivery_id, before = str(uuid4()), time.time()
    tls = ssl.create_default_context(cafile=sandbox.state["ca_file"])
    number = sandbox.state[port]
    client: smtplib.SMTP
    if port == "smtps_port":
        client = smtplib.SMTP_SSL("localhost", number, context=tls, timeout=5)
    else:
        client = smtplib.SMTP("localhost", number, timeout=5)
        client.starttls(context=tls)
    with client:
        client.login(sandbox.credentials["smtp"]["username"], sandbox.credentials["smtp"]["password"])
        assert client.send_message(mail(delivery_id)) == {}
    row = sandbox.row(delivery_id)
    assert (row["provider"], row["accepted"], row["refused"], row["refusals"]) == ("smtp", 1, 0, None)
    assert before <= row["first_at"] <= time.time()
    [attempt] = row["attempts"]
    assert (attempt["address"], attempt["refused"]) == (TO, "")
    assert attempt["body"].startswith(f"From: =?utf-8?b?67SJ7IiY?= <{FROM}>\r\nTo: {TO}\r\n")


def test_a_mail_looks_as_its_reader_sees_it(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    assert sent(sandbox, delivery_id=delivery_id)[0] == 250
    [seen] = shown(sandbox)
    assert (seen["kind"], seen["provider"], seen["delivery_id"], seen["address"]) == ("email", "smtp", delivery_id, TO)
    assert (seen["sender"], seen["title"], seen["body"]) == (f"봉수 <{FROM}>", "재입고", "안녕하세요")
    assert seen["html"] == "<p>안녕하세요"


def test_many_mails_go_by_one_session(sandbox: Running) -> None:
    with sandbox.smtp() as client:
        for _ in range(5):
            client.send_message(mail())
    assert sandbox.admin("GET", "counts").json()["providers"]["smtp"]["accepted"] == 5


def test_a_port_is_told_to_programs_and_speaks_no_http(sandbox: Running) -> None:
    assert sandbox.credentials["smtp"]["endpoint"] == sandbox.state["smtp_url"]
    assert sandbox.state["smtps_url"] == f"smtps://localhost:{sandbox.state['smtps_port']}"
    assert sandbox.send(Ask(f"{sandbox.url}/smtp/send", body=b"{}")).status == 404


# --- who is there ------------------------------------------------------------------------------------
def test_before_tls_nothing_is_offered_and_nothing_is_taken(sandbox: Running) -> None:
    with sandbox.smtp(starttls=False, login=False) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AHgAeA==")[0] == 530
        assert client.mail(FROM)[0] == 530


def test_before_a_login_no_mail_is_taken(sandbox: Running) -> None:
    with sandbox.smtp(login=False) as client:
        client.ehlo()
        assert client.has_extn("pipelining")
        code, words = client.mail(FROM)
        assert (code, words) == (530, b"5.7.0 Authentication required")


@pytest.mark.parametrize("method", ["auth_plain", "auth_login"])
def test_both_ways_of_logging_in_work(sandbox: Running, method: str) -> None:
    with sandbox.smtp(login=False) as client:
        client.ehlo()
        client.user, client.password = (sandbox.credentials["smtp"][name] for name in ("username", "password"))
        assert client.auth(method.removeprefix("auth_"), getattr(client, method))[0] == 235


def test_a_wrong_password_is_refused_and_three_end_the_session(sandbox: Running) -> None:
    with sandbox.smtp(login=False) as client:
        client.ehlo()
        for _ in range(3):
            assert client.docmd("AUTH", "PLAIN AHgAeA==") == (535, b"5.7.8 Error: authentication failed")
        assert client.getreply()[0] == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()
    assert sandbox.admin("GET", "counts").json()["providers"]["smtp"]["refusals"] == {"535 5.7.8": 3}


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("EHLO", 501),
        ("HELO", 501),
        ("STARTTLS", 503),
        ("AUTH CRAM-MD5", 503),
        ("MAIL FROM:hello@bongsu.example", 501),
        ("MAIL TO:<hello@bongsu.example>", 501),
        ("MAIL FROM:<hello@bongsu.example> XYZ=1", 555),
        ("MAIL FROM:<hello@bongsu.example> SIZE=99999999", 552),
        ("MAIL FROM:<지민@bongsu.example>", 553),
        ("MAIL FROM:<me@elsewhere.example>", 553),
        ("RCPT TO:<kim@people.example>", 503),
        ("DATA", 503),
        ("VRFY kim", 252),
        ("NOOP", 250),
        ("RSET", 250),
        ("EXPN list", 500),
        ("GET / HTTP/1.1", 500),
        ("", 500),
    ],
)
def test_a_command_is_taken_in_its_place_and_in_its_form_alone(sandbox: Running, line: str, reply: int) -> None:
    with sandbox.smtp() as client:
        client.ehlo()
        client.send((line + "\r\n").encode())
        assert client.getreply()[0] == reply


def test_commands_may_come_in_a_row(sandbox: Running) -> None:
    with sandbox.smtp() as client:
        client.ehlo()
        client.send(f"MAIL FROM:<{FROM}>\r\nRCPT TO:<a@rcpt-550-5-1-1.example>\r\nDATA\r\n")
        assert [client.getreply()[0] for _ in range(3)] == [250, 550, 554]
        client.send(f"RSET\r\nMAIL FROM:<{FROM}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n")
        assert [client.getreply()[0] for _ in range(4)] == [250, 250, 250, 354]


def test_what_is_said_before_tls_is_not_believed_afterwards(sandbox: Running) -> None:
    with socket.create_connection(("localhost", sandbox.state["smtp_port"]), timeout=5) as plain:
        plain.recv(1000)
        plain.sendall(b"EHLO x\r\nSTARTTLS\r\nNOOP\r\n")
        plain.settimeout(5)
        said = b""
        while chunk := plain.recv(1000):
            said += chunk
    assert said.splitlines()[-1].startswith(b"220")


# --- what is refused ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "reply"),
    [
        (mail(From=None).as_bytes(), (550, "5.6.0")),
        (mail(Date=None).as_bytes(), (550, "5.6.0")),
        (mail(Date="yesterday").as_bytes(), (550, "5.6.0")),
        (mail(From="me@elsewhere.example").as_bytes(), (550, "5.7.1")),
        (b"From: hello@bongsu.example\r\nSubject: a\r\nSubject: b\r\nDate: x\r\n\r\n", (550, "5.6.0")),
        (mail().as_bytes() + b"x" * 2000, (554, "5.6.0")),
        (mail().as_bytes() + "안녕".encode(), (554, "5.6.1")),
        (mail().as_bytes().rpartition(b"--=")[0], (554, "5.6.0")),
    ],
)
def test_a_message_that_others_would_not_take_is_refused(
    sandbox: Running, content: bytes, reply: tuple[int, str]
) -> None:
    code, words = sent(sandbox, content=content)
    assert (code, words.split()[:2]) == (reply[0], ["data", reply[1]])
    assert shown(sandbox) == []


def test_a_line_feed_alone_could_hide_a_message_and_ends_the_session(sandbox: Running) -> None:
    with sandbox.smtp() as client:
        client.ehlo()
        client.mail(FROM)
        client.rcpt(TO)
        assert client.docmd("DATA")[0] == 354
        client.send(b"Subject: x\r\n\r\nhidden\n.\r\nMAIL FROM:<a@b.c>\r\n")
        assert client.getreply() == (521, b"5.5.2 Error: bare <LF> or <CR> received")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.getreply()


@pytest.mark.parametrize(
    ("to", "code", "words"),
    [
        ("kim@rcpt-550-5-1-1.example", 550, "rcpt 5.1.1 <kim@rcpt-550-5-1-1.example>: no such mailbox here"),
        ("kim@rcpt-452-4-2-2.example", 452, "rcpt 4.2.2 <kim@rcpt-452-4-2-2.example>: mailbox is full"),
        ("kim@rcpt-550.example", 550, "rcpt <kim@rcpt-550.example>: refused"),
        ("kim@data-554-5-7-1.example", 554, "data 5.7.1 rejected by policy"),
        ("kim@data-451-4-3-0.example", 451, "data 4.3.0 refused"),
        ("kim", 501, "rcpt 5.1.3 Bad recipient address syntax"),
    ],
)
def test_a_domain_decides_what_is_replied(sandbox: Running, to: str, code: int, words: str) -> None:
    assert sent(sandbox, to) == (code, words)
    assert shown(sandbox) == []


def test_who_is_greylisted_is_taken_the_second_time(sandbox: Running) -> None:
    to = f"{uuid4().hex}@greylisted.example"
    assert [sent(sandbox, to)[0] for _ in range(3)] == [451, 250, 250]


def test_a_reply_of_421_ends_the_session(sandbox: Running) -> None:
    with sandbox.smtp() as client:
        client.ehlo()
        client.mail(FROM)
        assert client.rcpt("kim@rcpt-421-4-7-0.example")[0] == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


# --- on demand ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "reply"),
    [
        ({"status": 451}, (451, "data 4.3.0 an operator's wish")),
        ({"status": 550}, (550, "data 5.1.1 no such mailbox here")),
        ({"status": 554, "reason": "5.7.26"}, (554, "data 5.7.26 an operator's wish")),
        ({"status": 599}, (599, "data 5.0.0 an operator's wish")),
    ],
)
def test_trouble_comes_in_a_mail_servers_words(sandbox: Running, fault: dict[str, Any], reply: tuple[int, str]) -> None:
    delivery_id = str(uuid4())
    sandbox.admin("PUT", "faults/smtp", fault)
    assert sent(sandbox, delivery_id=delivery_id) == reply
    row = sandbox.row(delivery_id)
    assert (row["accepted"], row["refused"]) == (0, 1)


@pytest.mark.parametrize(("mode", "accepted"), [("reset", 0), ("reset_after_body", 1), ("timeout", 0)])
def test_a_reset_or_held_session_has_no_reply(sandbox: Running, mode: str, accepted: int) -> None:
    delivery_id = str(uuid4())
    sandbox.admin("PUT", "faults/smtp", {"mode": mode, "remaining": 1})
    with suppress(smtplib.SMTPServerDisconnected), sandbox.smtp() as client:
        assert client.sock is not None
        client.sock.settimeout(0.5)
        with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
            client.send_message(mail(delivery_id))
    row = sandbox.row(delivery_id)
    assert (row["accepted"], row["refused"]) == (accepted, 1 - accepted)


def test_latency_delays_and_spares(sandbox: Running) -> None:
    sandbox.admin("PUT", "faults/smtp", {"latency_ms": 200})
    before = time.monotonic()
    assert sent(sandbox)[0] == 250
    assert time.monotonic() - before >= 0.2


# --- our own wire and adapter ------------------------------------------------------------------------
@pytest.fixture
def wire(sandbox: Running) -> Iterator[Wire]:
    made = Wire(ca_file=sandbox.state["ca_file"])
    yield made
    made.close()


def exchanged(sandbox: Running, wire: Wire, to: str = TO, *, endpoint: str = "", **credentials: str) -> Exchange:
    account = sandbox.credentials["smtp"]
    ours = Account(
        "smtp-live",
        endpoint or account["endpoint"],
        {"username": account["username"], "password": account["password"]} | credentials,
        {"from_email": account["from_email"], "from_name": "봉수"},
    )
    text = EmailText("재입고", html="<p>안녕하세요</p>", text="안녕하세요")
    return wire.exchange_one(Smtp().compose(rendered(text, to, delivery_id=uuid4()), ours, None))


@pytest.mark.parametrize("port", ["smtp_url", "smtps_url"])
def test_what_our_adapter_composes_is_taken(sandbox: Running, wire: Wire, port: str) -> None:
    answer = exchanged(sandbox, wire, endpoint=sandbox.state[port])
    assert isinstance(answer, Response)
    outcome = Smtp().interpret(answer)
    assert isinstance(outcome, Accepted)
    assert len(outcome.provider_ref) == 10


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("kim@rcpt-550-5-1-1.example", AddressDead),
        ("kim@data-550-5-1-10.example", AddressDead),
        ("kim@rcpt-550.example", ContentBad),
        ("kim@rcpt-552-5-2-2.example", Transient),
        ("kim@rcpt-452-4-5-3.example", Throttled),
        ("kim@data-554-5-7-1.example", ContentBad),
        ("kim@data-550-5-7-26.example", CredentialBad),
        ("kim@rcpt-421-4-3-2.example", Transient),
        ("지민@people.example", Accepted),
    ],
)
def test_what_the_server_says_is_understood(sandbox: Running, wire: Wire, to: str, expected: type) -> None:
    answer = exchanged(sandbox, wire, to)
    assert isinstance(answer, Response)
    assert isinstance(Smtp().interpret(answer), expected)


def test_what_breaks_before_the_end_of_a_message_is_told_from_what_breaks_after(sandbox: Running, wire: Wire) -> None:
    assert isinstance(exchanged(sandbox, wire, "kim@dropped.example"), NotSent)
    assert isinstance(exchanged(sandbox, wire, "kim@reset.example"), NoAnswer)
    assert isinstance(exchanged(sandbox, wire), Response)
    counts = sandbox.admin("GET", "counts").json()["providers"]["smtp"]
    assert counts["accepted"] == 2, "what was reset had been taken"


def test_a_wrong_password_is_our_own_fault(sandbox: Running, wire: Wire) -> None:
    answer = exchanged(sandbox, wire, password="wrong")
    assert isinstance(answer, Response)
    assert isinstance(Smtp().interpret(answer), CredentialBad)
