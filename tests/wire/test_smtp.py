"""Every mail ends as a Response, as NotSent or as NoAnswer, and the difference is exact."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from notifications.providers.contract import Crowd, Envelope, Exchange, NoAnswer, NotSent, Outgoing, Request, Response
from notifications.wire.line import MAILS_PER_SERVER
from notifications.wire.smtp import MAX_TRIES
from notifications.wire.wire import Wire
from tests.wire.mail_server import PASSWORD, USER, MailServer
from tests.wire.server import Server, certificate

MakeMailServer = Callable[..., MailServer]

CONTENT = b"Subject: hello\r\n\r\nfirst line\r\n.a dot begins this one\r\n..\r\n.\r\nlast line\r\n"
#: Longer than what two sockets hold.
LONG = b"Subject: long\r\n\r\n" + b"0123456789" * 7 + b"\r\n" + (b"x" * 78 + b"\r\n") * 100_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def make_server(files: tuple[Path, Path]) -> Iterator[MakeMailServer]:
    made: list[MailServer] = []

    def make(**options: object) -> MailServer:
        made.append(MailServer(*files, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def server(make_server: MakeMailServer) -> MailServer:
    return make_server()


@pytest.fixture
def wire(files: tuple[Path, Path]) -> Iterator[Wire]:
    made = Wire(ca_file=str(files[0]))
    yield made
    made.close()


def mail(server: MailServer, to: str = "kim", **changes: Any) -> Envelope:
    usual = Envelope(
        url=server.url,
        hello="bongsu.example",
        username=USER,
        password=PASSWORD,
        sender="hello@bongsu.example",
        recipient=f"{to}@people.example",
        content=CONTENT,
        timeout=10.0,
    )
    return msgspec.structs.replace(usual, **changes)


def replied(answer: Exchange) -> tuple[int, str]:
    assert isinstance(answer, Response), answer
    return answer.status, answer.headers["command"]


def all_of(wire: Wire, outgoing: Sequence[Outgoing]) -> dict[int, Exchange]:
    return dict(wire.exchange(outgoing))


# --- answers -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("tls_first", [False, True])
@pytest.mark.parametrize("abilities", [("PIPELINING", "AUTH PLAIN LOGIN"), ("AUTH=LOGIN",), ("8BITMIME", "AUTH LOGIN")])
def test_a_mail_arrives_as_it_was_composed(
    wire: Wire, make_server: MakeMailServer, tls_first: bool, abilities: tuple[str, ...]
) -> None:
    server = make_server(tls_first=tls_first, abilities=abilities)
    answer = wire.exchange_one(mail(server))
    assert replied(answer) == (250, ".")
    assert isinstance(answer, Response)
    assert answer.body == b"250 2.0.0 queued as 4F2A1\r\n"
    assert 0 < answer.elapsed < 10
    (taken,) = server.mails
    assert (taken.sender, taken.recipient) == ("hello@bongsu.example", "kim@people.example")
    assert taken.content == CONTENT


def test_a_message_of_many_megabytes_arrives_whole(wire: Wire, server: MailServer) -> None:
    assert replied(wire.exchange_one(mail(server, content=LONG))) == (250, ".")
    assert server.mails[0].content == LONG


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("to", "reply"),
    [
        ("dead", (550, "rcpt")),
        ("permit", (550, "rcpt")),
        ("later", (451, "rcpt")),
        ("full", (421, "rcpt")),
        ("spam", (554, ".")),
    ],
)
def test_a_refusal_is_an_answer_and_says_to_what(
    wire: Wire, make_server: MakeMailServer, pipelining: bool, to: str, reply: tuple[int, str]
) -> None:
    server = make_server(abilities=("AUTH PLAIN", *(["PIPELINING"] if pipelining else [])))
    assert replied(wire.exchange_one(mail(server, to))) == reply
    assert server.mails == []


def test_all_lines_of_a_reply_are_there(wire: Wire, server: MailServer) -> None:
    answer = wire.exchange_one(mail(server, "spam"))
    assert isinstance(answer, Response)
    assert answer.body == b"554-5.7.1 looks like spam\r\n554 5.7.1 see https://mail.example/spam\r\n"


@pytest.mark.parametrize("to", ["dead", "permit", "later", "spam"])
def test_a_refused_mail_costs_no_connection(wire: Wire, server: MailServer, to: str) -> None:
    for _ in range(3):
        assert replied(wire.exchange_one(mail(server, to)))[0] >= 400
        assert replied(wire.exchange_one(mail(server))) == (250, ".")
    assert server.connections == 1
    assert len(server.mails) == 3


def test_what_a_server_says_in_the_middle_of_a_message_is_an_answer(wire: Wire, server: MailServer) -> None:
    assert replied(wire.exchange_one(mail(server, "toobig", content=LONG))) == (552, ".")


# --- connections -------------------------------------------------------------------------------------
def test_connections_outlive_a_call_and_log_in_once(wire: Wire, server: MailServer) -> None:
    for _ in range(3):
        assert {type(a) for a in all_of(wire, [mail(server)] * 2).values()} == {Response}
    assert server.connections <= 2
    assert server.commands(1)[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert server.commands().count("AUTH") == server.connections
    assert len(server.mails) == 6


def test_many_mails_share_few_connections(wire: Wire, server: MailServer) -> None:
    answers = all_of(wire, [mail(server, "slow" if i < 100 else "kim") for i in range(200)])
    assert Counter(replied(answer) for answer in answers.values()) == {(250, "."): 200}
    assert len(server.mails) == 200
    assert server.connections == server.most_at_once == MAILS_PER_SERVER


@pytest.mark.parametrize("at_once", [2, 24])
def test_an_account_may_have_fewer_or_more_under_way(wire: Wire, server: MailServer, at_once: int) -> None:
    answers = all_of(wire, [mail(server, "slow", crowd=Crowd("smtp-live", at_once))] * at_once * 3)
    assert {replied(answer) for answer in answers.values()} == {(250, ".")}
    assert server.connections == server.most_at_once == at_once


def test_whose_turn_comes_too_late_is_not_begun(wire: Wire, server: MailServer) -> None:
    crowd, soon = Crowd("smtp-live", 1), time.monotonic() + 0.5
    answers = all_of(wire, [mail(server, "slow", crowd=crowd, start_by=soon)] * 5)
    begun = [answer for answer in answers.values() if isinstance(answer, Response)]
    late = [answer for answer in answers.values() if isinstance(answer, NotSent)]
    assert len(begun) + len(late) == 5
    assert 1 <= len(begun) == len(server.mails) < 5
    assert {answer.detail for answer in late} == {"not begun: it was too late for it"}


def test_without_a_recipient_the_server_is_asked_and_a_login_of_before_does_not_count(
    wire: Wire, server: MailServer
) -> None:
    assert replied(wire.exchange_one(mail(server))) == (250, ".")
    for connection in (2, 3):
        assert replied(wire.exchange_one(mail(server, recipient="", content=b""))) == (250, "mail")
        assert server.commands(connection) == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL"]
    assert len(server.mails) == 1


def test_two_accounts_do_not_share_a_connection(wire: Wire, server: MailServer) -> None:
    assert replied(wire.exchange_one(mail(server))) == (250, ".")
    assert replied(wire.exchange_one(mail(server, username="another"))) == (535, "auth")
    assert replied(wire.exchange_one(mail(server, username=""))) == (250, ".")
    assert server.connections == 3


@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_a_connection_that_ended_meanwhile_is_replaced_and_nothing_is_sent_twice(
    wire: Wire, server: MailServer, pause: float
) -> None:
    for count in range(1, 4):
        assert replied(wire.exchange_one(mail(server))) == (250, ".")
        assert len(server.mails) == server.connections == count
        server.hang_up()
        time.sleep(pause)


def test_a_server_that_ends_connections_after_some_mails_gets_the_next_one_on_another(
    wire: Wire, make_server: MakeMailServer
) -> None:
    server = make_server(mails_per_connection=2)
    for _ in range(5):
        assert replied(wire.exchange_one(mail(server))) == (250, ".")
    assert [taken.connection for taken in server.mails] == [1, 1, 2, 2, 3]


def test_a_server_that_takes_nothing_any_more_is_not_asked_for_ever(wire: Wire, make_server: MakeMailServer) -> None:
    server = make_server(mails_per_connection=0)
    assert replied(wire.exchange_one(mail(server))) == (421, "mail")
    assert server.connections <= MAX_TRIES


# --- beside requests ---------------------------------------------------------------------------------
def test_a_slow_mail_holds_up_no_request_and_a_slow_request_no_mail(
    wire: Wire, server: MailServer, files: tuple[Path, Path]
) -> None:
    http = Server(*files)
    quick = Request("POST", http.url("/answer"), {}, b"hello")
    held = Request("POST", http.url("/held"), {}, b"hello")
    assert isinstance(wire.exchange_one(quick), Response)

    mails = wire.exchange([mail(server, "mute", timeout=3.0), quick, held, mail(server, "kim"), quick])
    began = time.monotonic()
    assert [next(mails)[0] for _ in range(2)] == [1, 4]
    assert time.monotonic() - began < 1
    assert isinstance(wire.exchange_one(Request("POST", http.url("/release"), {}, b"")), Response)
    assert next(mails)[0] == 2
    assert {position: type(answer) for position, answer in mails} == {0: NoAnswer, 3: Response}
    http.close()


def test_another_exchange_may_run_between_two_answers(wire: Wire, server: MailServer) -> None:
    seen = []
    for position, answer in wire.exchange([mail(server)] * 20):
        assert replied(wire.exchange_one(mail(server))) == (250, ".")
        seen.append((position, replied(answer)))
    assert sorted(seen) == [(position, (250, ".")) for position in range(20)]


# --- what never left ---------------------------------------------------------------------------------
def test_where_nobody_listens_nothing_is_sent(wire: Wire, server: MailServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert isinstance(wire.exchange_one(mail(server, url=f"smtp://127.0.0.1:{port}")), NotSent)


def test_a_name_that_does_not_exist_means_not_sent(wire: Wire, server: MailServer) -> None:
    answer = wire.exchange_one(mail(server, url="smtp://nowhere.invalid:587"))
    assert isinstance(answer, NotSent)
    assert "nowhere.invalid" in answer.detail


@pytest.mark.parametrize("tls_first", [True, False])
def test_a_certificate_that_nobody_vouches_for_means_not_sent(make_server: MakeMailServer, tls_first: bool) -> None:
    server, wire = make_server(tls_first=tls_first), Wire()
    answer = wire.exchange_one(mail(server))
    assert isinstance(answer, NotSent)
    assert "CERTIFICATE_VERIFY_FAILED" in answer.detail
    assert "AUTH" not in server.commands()
    wire.close()


def test_a_certificate_for_another_name_means_not_sent(wire: Wire, server: MailServer) -> None:
    answer = wire.exchange_one(mail(server, url=server.url.replace("127.0.0.1", "localhost")))
    assert isinstance(answer, NotSent)
    assert "AUTH" not in server.commands()


@pytest.mark.parametrize("tls_first", [True, False])
def test_a_name_that_no_certificate_can_be_for_means_not_sent(
    wire: Wire, make_server: MakeMailServer, tls_first: bool
) -> None:
    server = make_server(tls_first=tls_first)
    scheme, port = server.url.split("://")[0], server.url.rpartition(":")[2]
    answers = all_of(wire, [mail(server, url=f"{scheme}://localhost..:{port}"), mail(server)])
    assert isinstance(answers[0], NotSent)
    assert replied(answers[1]) == (250, ".")


def test_without_tls_nothing_is_said_but_the_greeting(wire: Wire, make_server: MakeMailServer) -> None:
    server = make_server(starttls=False)
    answer = wire.exchange_one(mail(server))
    assert isinstance(answer, NotSent)
    assert answer.detail == "the server offers no STARTTLS"
    assert server.commands() == ["EHLO"]


def test_what_is_slipped_in_before_tls_ends_the_connection(wire: Wire, make_server: MakeMailServer) -> None:
    server = make_server(injects=True)
    assert isinstance(wire.exchange_one(mail(server)), NotSent)
    assert server.commands() == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize("greeting", ["HTTP/1.1 400 Bad Request", "SSH-2.0-OpenSSH_9.9", "220-" + "x" * 70_000])
def test_who_does_not_speak_smtp_is_sent_nothing(wire: Wire, make_server: MakeMailServer, greeting: str) -> None:
    server = make_server(greeting=greeting)
    assert isinstance(wire.exchange_one(mail(server, timeout=2.0)), NotSent)
    assert server.commands() == []


@pytest.mark.parametrize("greeting", ["554 no mail here", "421 too busy"])
def test_a_greeting_may_be_a_refusal(wire: Wire, make_server: MakeMailServer, greeting: str) -> None:
    assert replied(wire.exchange_one(mail(make_server(greeting=greeting)))) == (int(greeting[:3]), "connect")


@pytest.mark.parametrize("abilities", [("AUTH PLAIN",), ("AUTH LOGIN",)])
def test_a_wrong_password_is_an_answer(wire: Wire, make_server: MakeMailServer, abilities: tuple[str, ...]) -> None:
    server = make_server(abilities=abilities)
    assert replied(wire.exchange_one(mail(server, password="wrong"))) == (535, "auth")
    assert "MAIL" not in server.commands()


def test_a_login_that_is_not_offered_means_not_sent(wire: Wire, make_server: MakeMailServer) -> None:
    server = make_server(abilities=("AUTH GSSAPI NTLM",))
    assert isinstance(wire.exchange_one(mail(server)), NotSent)
    assert server.commands() == ["EHLO", "STARTTLS", "EHLO"]


@pytest.mark.parametrize(("to", "content"), [("hangup", CONTENT), ("halfway", LONG), ("deaf", CONTENT)])
@pytest.mark.parametrize("reused", [True, False])
def test_a_connection_that_breaks_before_the_end_of_the_message_means_not_sent(
    wire: Wire, server: MailServer, to: str, content: bytes, reused: bool
) -> None:
    if reused:
        assert replied(wire.exchange_one(mail(server))) == (250, ".")
    answer = wire.exchange_one(mail(server, to, content=content, timeout=2.0))
    assert isinstance(answer, NotSent)
    assert answer.elapsed >= 2 if to == "deaf" else answer.elapsed < 1
    assert len(server.mails) == reused


@pytest.mark.parametrize(
    "changes", [{"recipient": "kim @people.example"}, {"url": "smtp://127.0.0.1:99999"}, {"url": "smtp://[::1:587"}]
)
def test_what_smtp_cannot_carry_spoils_only_its_own_mail(
    wire: Wire, server: MailServer, changes: dict[str, Any]
) -> None:
    answers = all_of(wire, [mail(server, **changes), mail(server)])
    assert isinstance(answers[0], NotSent)
    assert replied(answers[1]) == (250, ".")
    assert len(server.mails) == 1


def test_an_address_beyond_ascii_goes_only_where_it_is_understood(wire: Wire, make_server: MakeMailServer) -> None:
    wide = make_server(abilities=("AUTH PLAIN", "8BITMIME", "SMTPUTF8"))
    assert replied(wire.exchange_one(mail(wide, "지민"))) == (250, ".")
    assert "MAIL FROM:<hello@bongsu.example> BODY=8BITMIME SMTPUTF8" in [line for _, line in wide.said]
    narrow = make_server()
    assert replied(wire.exchange_one(mail(narrow, "지민"))) == (553, "rcpt")
    assert "MAIL" not in narrow.commands()


# --- what left and was not answered ------------------------------------------------------------------
@pytest.mark.parametrize("to", ["taken", "mute"])
@pytest.mark.parametrize("reused", [True, False])
def test_without_a_reply_to_the_message_a_mail_is_in_doubt_and_was_sent_once(
    wire: Wire, server: MailServer, to: str, reused: bool
) -> None:
    if reused:
        assert replied(wire.exchange_one(mail(server))) == (250, ".")
    assert isinstance(wire.exchange_one(mail(server, to, timeout=1.0)), NoAnswer)
    assert server.commands().count("DATA") == 1 + reused
    assert replied(wire.exchange_one(mail(server))) == (250, ".")


# --- given up ----------------------------------------------------------------------------------------
def test_an_iterator_closed_early_drops_the_rest_and_leaves_the_wire_in_order(wire: Wire, server: MailServer) -> None:
    exchanges = wire.exchange([mail(server), *[mail(server, "mute")] * 20])
    assert next(exchanges)[0] == 0
    assert isinstance(exchanges, Generator)
    exchanges.close()
    assert {replied(answer) for answer in all_of(wire, [mail(server)] * 30).values()} == {(250, ".")}


def test_a_wire_that_gives_up_waits_for_nothing_and_sends_nothing_more(
    files: tuple[Path, Path], server: MailServer
) -> None:
    over = threading.Event()
    wire = Wire(ca_file=str(files[0]), gives_up=over.is_set)
    assert replied(wire.exchange_one(mail(server))) == (250, ".")
    exchanges = wire.exchange([mail(server, "mute"), mail(server, "deaf"), mail(server)])
    assert next(exchanges)[0] == 2

    over.set()

    assert {position: type(answer) for position, answer in exchanges} == {0: NoAnswer, 1: NotSent}
    assert isinstance(wire.exchange_one(mail(server)), NotSent)
    wire.close()
