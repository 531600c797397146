"""Every request ends as a Response, as NotSent or as NoAnswer, and the difference is exact."""

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import msgspec
import pycurl
import pytest
from pytest_django import Settings

from notifications.providers.contract import Crowd, Exchange, NoAnswer, NotSent, Request, Response
from notifications.wire import wire as ours
from notifications.wire.http2 import CONNECTIONS_PER_HOST, MAX_REFUSALS
from notifications.wire.line import MAX_IN_FLIGHT
from notifications.wire.wire import Wire
from tests.wire.server import Server, certificate

MakeServer = Callable[..., Server]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def make_server(files: tuple[Path, Path]) -> Iterator[MakeServer]:
    made: list[Server] = []

    def make(**options: object) -> Server:
        made.append(Server(*files, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    return make_server()


@pytest.fixture
def wire(files: tuple[Path, Path]) -> Iterator[Wire]:
    made = Wire(ca_file=str(files[0]))
    yield made
    made.close()


def post(url: str, body: bytes = b"hello", *, timeout: float = 10.0) -> Request:
    return Request("POST", url, {"content-type": "text/plain", "x-sent": "yes"}, body, timeout)


def all_of(wire: Wire, requests: list[Request]) -> dict[int, Exchange]:
    return dict(wire.exchange(requests))


# --- answers -----------------------------------------------------------------------------------------
def test_an_answer_has_status_headers_and_body(wire: Wire, server: Server) -> None:
    answer = wire.exchange_one(post(server.url("/answer"), b"ping"))
    assert isinstance(answer, Response)
    assert (answer.status, answer.body) == (200, b"ping")
    assert answer.headers["x-server"] == "tests"
    assert 0 < answer.elapsed < 10


def test_the_request_arrives_as_it_was_composed(wire: Wire, server: Server) -> None:
    body = b"0123456789" * 30_000
    answer = wire.exchange_one(post(server.url("/answer"), body))
    (received,) = server.received
    assert received.body == body
    assert {
        "x-sent": "yes",
        "content-type": "text/plain",
        "content-length": "300000",
    }.items() <= received.headers.items()
    assert "expect" not in received.headers
    assert isinstance(answer, Response)
    assert answer.body == body


def test_a_get_has_no_body(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    assert isinstance(wire.exchange_one(Request("GET", server.url("/answer"), {}, b"")), Response)
    assert [(one.headers[":method"], one.body) for one in server.received] == [("POST", b"hello"), ("GET", b"")]


def test_a_get_that_found_nobody_was_not_sent_and_one_that_got_no_answer_was(wire: Wire, server: Server) -> None:
    nobody = Request("GET", "https://127.0.0.1:9/", {}, b"")
    assert isinstance(wire.exchange_one(nobody), NotSent)
    assert isinstance(wire.exchange_one(Request("GET", server.url("/never"), {}, b"", timeout=0.2)), NoAnswer)
    assert isinstance(wire.exchange_one(nobody), NotSent)


def test_more_requests_than_fit_at_once_are_all_answered_each_with_its_own(wire: Wire, server: Server) -> None:
    count = MAX_IN_FLIGHT * 2 + 1
    answers = all_of(wire, [post(server.url("/answer"), str(i).encode()) for i in range(count)])
    assert {i: answer.body for i, answer in answers.items() if isinstance(answer, Response)} == {
        i: str(i).encode() for i in range(count)
    }


def test_a_late_answer_holds_up_no_other(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    exchanges = wire.exchange([post(server.url("/held")), *[post(server.url("/answer"))] * 3])
    assert {next(exchanges)[0] for _ in range(3)} == {1, 2, 3}
    assert isinstance(wire.exchange_one(post(server.url("/release"))), Response)
    assert [position for position, _ in exchanges] == [0]


def test_connections_outlive_a_call(wire: Wire, server: Server) -> None:
    for _ in range(3):
        all_of(wire, [post(server.url("/answer"))] * 5)
    assert server.connections == 1


def test_a_server_that_takes_one_stream_at_a_time_is_served_too(wire: Wire, make_server: MakeServer) -> None:
    server = make_server(max_streams=1)
    answers = all_of(wire, [post(server.url("/answer"))] * 40)
    assert Counter(type(answer) for answer in answers.values()) == {Response: 40}
    assert server.connections <= CONNECTIONS_PER_HOST


def test_a_server_that_never_answered_gets_one_request_first(wire: Wire, server: Server) -> None:
    requests = [post(server.url("/never"), timeout=0.2), *[post(server.url("/answer"))] * 5]
    assert [type(answer) for _, answer in wire.exchange(requests)] == [NoAnswer, *[Response] * 5]


def test_of_a_crowd_no_more_are_under_way_than_may_be_and_others_pass_it(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    slow = msgspec.structs.replace(post(server.url("/never"), timeout=0.3), crowd=Crowd("twilio", 2))
    exchanges = wire.exchange([slow, slow, slow, post(server.url("/answer"))])

    assert next(exchanges)[0] == 3
    assert server.paths() == ["/answer", "/never", "/never", "/answer"]
    assert {position for position, _ in exchanges} == {0, 1, 2}
    assert server.paths().count("/never") == 3


def test_a_request_whose_time_has_passed_when_its_turn_comes_never_begins(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    crowd, slow = Crowd("twilio", 1), post(server.url("/never"), timeout=0.3)
    in_time = msgspec.structs.replace(slow, crowd=crowd)
    too_late = msgspec.structs.replace(slow, crowd=crowd, start_by=time.monotonic() + 0.1)

    exchanges = dict(wire.exchange([in_time, too_late, too_late]))

    assert [type(exchanges[place]) for place in range(3)] == [NoAnswer, NotSent, NotSent]
    assert server.paths().count("/never") == 1


def test_an_interim_answer_is_forgotten(wire: Wire, server: Server) -> None:
    answer = wire.exchange_one(post(server.url("/interim")))
    assert isinstance(answer, Response)
    assert answer.status == 200
    assert "x-interim" not in answer.headers


def test_a_redirect_is_an_answer_and_is_not_followed(wire: Wire, server: Server) -> None:
    answer = wire.exchange_one(post(server.url("/redirect")))
    assert isinstance(answer, Response)
    assert answer.status == 302
    assert server.paths() == ["/redirect"]


# --- what never left ---------------------------------------------------------------------------------
def test_where_nobody_listens_nothing_is_sent(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert isinstance(wire.exchange_one(post(f"https://127.0.0.1:{port}/answer")), NotSent)


def test_a_name_that_does_not_exist_means_not_sent(wire: Wire) -> None:
    answer = wire.exchange_one(post("https://nowhere.invalid/answer"))
    assert isinstance(answer, NotSent)
    assert "nowhere.invalid" in answer.detail


def test_a_certificate_that_nobody_vouches_for_means_not_sent(server: Server) -> None:
    wire = Wire()
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), NotSent)
    assert server.received == []
    wire.close()


def test_a_server_that_never_finishes_the_handshake_means_not_sent(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = wire.exchange_one(post(f"https://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.2))
    assert isinstance(answer, NotSent)


@pytest.mark.parametrize("url", ["http://127.0.0.1/answer", "file:///etc/passwd", "gopher://127.0.0.1/"])
def test_only_tls_is_spoken(wire: Wire, url: str) -> None:
    assert isinstance(wire.exchange_one(post(url)), NotSent)


@pytest.mark.parametrize("value", ["a\r\nx-evil: yes", "a\nb", "a\0b", "한글"])
def test_a_header_that_http_cannot_carry_spoils_only_its_own_request(wire: Wire, server: Server, value: str) -> None:
    spoilt = Request("POST", server.url("/answer"), {"x-sent": value}, b"hello")
    answers = all_of(wire, [spoilt, post(server.url("/answer"))])
    assert isinstance(answers[0], NotSent)
    assert isinstance(answers[1], Response)


def test_plain_http_can_be_allowed(files: tuple[Path, Path]) -> None:
    wire = Wire(ca_file=str(files[0]), protocols=pycurl.PROTO_HTTP)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = wire.exchange_one(post(f"http://127.0.0.1:{port}/"))
    assert isinstance(answer, NotSent)
    assert "connect" in answer.detail
    wire.close()


# --- what was refused unprocessed --------------------------------------------------------------------
def test_requests_that_a_going_server_left_out_go_to_its_successor(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    answer = wire.exchange_one(post(server.url("/goaway")))
    assert isinstance(answer, Response)
    assert [(one.connection, one.path) for one in server.received] == [(1, "/answer"), (1, "/goaway"), (2, "/goaway")]


def test_a_stream_that_is_refused_again_and_again_was_not_sent(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    assert isinstance(wire.exchange_one(post(server.url("/refuse"))), NotSent)
    assert server.paths().count("/refuse") == MAX_REFUSALS


def test_a_refusal_by_a_server_that_has_not_yet_shown_http2_stays_in_doubt(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/refuse"))), NoAnswer)
    assert server.paths() == ["/refuse"]


# --- what left and was not answered ------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/reset", "/close", "/never"])
@pytest.mark.parametrize("reused", [True, False])
def test_without_an_answer_a_request_that_left_is_in_doubt_and_was_sent_once(
    wire: Wire, server: Server, path: str, reused: bool
) -> None:
    if reused:
        assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    assert isinstance(wire.exchange_one(post(server.url(path), timeout=0.3)), NoAnswer)
    assert server.paths().count(path) == 1


def test_all_requests_on_a_connection_that_breaks_are_in_doubt(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    answers = all_of(wire, [*[post(server.url("/never"))] * 5, post(server.url("/close"))])
    assert Counter(type(answer) for answer in answers.values()) == {NoAnswer: 6}
    assert len(server.received) == 7


def test_libcurl_does_not_repeat_a_post_when_an_old_http1_connection_ends(wire: Wire, make_server: MakeServer) -> None:
    server = make_server(protocol="http/1.1")
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    assert isinstance(wire.exchange_one(post(server.url("/close"))), NoAnswer)
    assert server.paths() == ["/answer", "/close"]


def test_whoever_waited_in_vain_for_a_free_stream_was_not_sent(wire: Wire, make_server: MakeServer) -> None:
    server = make_server(max_streams=1)
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    count = CONNECTIONS_PER_HOST + 4
    answers = all_of(wire, [post(server.url("/never"), timeout=2.0)] * count)
    kinds = Counter(type(answer) for answer in answers.values())
    sent = server.paths().count("/never")
    assert kinds == {NoAnswer: sent, NotSent: count - sent}
    assert 1 <= sent <= CONNECTIONS_PER_HOST


def test_an_answer_of_two_megabytes_is_no_answer(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(post(server.url("/huge"))), NoAnswer)
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)


# --- how the iterator is used ------------------------------------------------------------------------
def test_an_iterator_closed_early_drops_the_rest_and_leaves_the_wire_in_order(wire: Wire, server: Server) -> None:
    exchanges = wire.exchange([post(server.url("/answer")), *[post(server.url("/never"))] * 20])
    assert next(exchanges)[0] == 0
    assert isinstance(exchanges, Generator)
    exchanges.close()
    assert Counter(type(a) for a in all_of(wire, [post(server.url("/answer"))] * 30).values()) == {Response: 30}


def test_another_exchange_may_run_between_two_answers(wire: Wire, server: Server) -> None:
    seen = []
    for position, answer in wire.exchange([post(server.url("/answer"), str(i).encode()) for i in range(20)]):
        inner = wire.exchange_one(post(server.url("/answer"), b"inner"))
        assert isinstance(inner, Response)
        assert inner.body == b"inner"
        assert isinstance(answer, Response)
        seen.append((position, answer.body))
    assert sorted(seen) == sorted((i, str(i).encode()) for i in range(20))


def test_a_forked_process_makes_its_own_connections_and_leaves_its_parents_alone(
    server: Server, files: tuple[Path, Path], settings: Settings
) -> None:
    settings.WIRE_CA_FILE = str(files[0])
    request = post(server.url("/answer"))
    assert isinstance(ours.exchange_one(request), Response)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"y" if isinstance(ours.exchange_one(request), Response) else b"n")
        os._exit(0)
    assert os.read(reading, 1) == b"y"
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
    assert isinstance(ours.exchange_one(request), Response)
    assert [one.connection for one in server.received] == [1, 2, 1]


# --- given up ----------------------------------------------------------------------------------------
def test_a_wire_that_gives_up_waits_for_nothing_and_sends_nothing_more(
    files: tuple[Path, Path], server: Server
) -> None:
    over = threading.Event()
    wire = Wire(ca_file=str(files[0]), gives_up=over.is_set)
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), Response)
    exchanges = wire.exchange([post(server.url("/never")), post(server.url("/answer"))])
    assert next(exchanges)[0] == 1

    over.set()

    ((position, answer),) = exchanges
    assert (position, type(answer)) == (0, NoAnswer)
    assert isinstance(wire.exchange_one(post(server.url("/answer"))), NotSent)
    wire.close()
