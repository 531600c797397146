"""A request whose host somebody else chose reaches the internet, or nobody."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pycurl
import pytest

from notifications.providers.contract import Exchange, Forbidden, NotSent, Request, Response
from notifications.wire.guard import Guard
from notifications.wire.wire import Wire
from tests.waiting import until
from tests.wire.server import Server, certificate

INSIDE = "the address leads to 127.0.0.1, which is not public"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(files: tuple[Path, Path]) -> Iterator[Server]:
    made = Server(*files)
    yield made
    made.close()


@pytest.fixture
def wire(files: tuple[Path, Path]) -> Iterator[Wire]:
    made = Wire(ca_file=str(files[0]))
    yield made
    made.close()


def guarded(url: str) -> Request:
    return Request("POST", url, {}, b"hello", public_only=True)


def plain(url: str) -> Request:
    return msgspec.structs.replace(guarded(url), public_only=False)


def detail(exchange: Exchange) -> str:
    assert not isinstance(exchange, Response)
    return exchange.detail


def open_sockets() -> int:
    """How many this process has, the server's and libcurl's among them."""
    return sum(connection.status != "LISTEN" for connection in psutil.Process().net_connections("tcp"))


def test_nothing_connects_to_an_address_that_is_not_public(wire: Wire, server: Server) -> None:
    exchange = wire.exchange_one(guarded(server.url("/answer")))
    assert isinstance(exchange, Forbidden)
    assert exchange.detail == INSIDE
    assert server.connections == 0


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]"])
def test_no_way_of_writing_it_leads_there(wire: Wire, server: Server, host: str) -> None:
    url = server.url("/answer").replace("127.0.0.1", host)
    assert isinstance(wire.exchange_one(guarded(url)), Forbidden)
    assert server.connections == 0


def test_a_connection_that_is_there_for_others_carries_nothing_either(wire: Wire, server: Server) -> None:
    assert isinstance(wire.exchange_one(plain(server.url("/answer"))), Response)
    exchange = wire.exchange_one(guarded(server.url("/answer")))
    assert isinstance(exchange, Forbidden)
    assert detail(exchange) == INSIDE
    assert server.paths() == ["/answer"]


def test_the_requests_beside_it_are_as_free_as_ever(wire: Wire, server: Server) -> None:
    kinds: list[Callable[[str], Request]] = [plain, guarded, plain, guarded, plain, plain]
    for _ in range(2):  # the second time with handles that carried the other kind before
        exchanges = dict(wire.exchange([kind(server.url("/answer")) for kind in kinds]))
        assert [type(exchanges[i]) for i in range(len(kinds))] == [
            Response if kind is plain else Forbidden for kind in kinds
        ]
    assert len(server.paths()) == 8


def test_a_host_that_is_named_may_be_inside(files: tuple[Path, Path], server: Server) -> None:
    wire = Wire(ca_file=str(files[0]), private_hosts={"127.0.0.1"})
    assert isinstance(wire.exchange_one(guarded(server.url("/answer"))), Response)
    named_otherwise = server.url("/answer").replace("127.0.0.1", "localhost")
    assert isinstance(wire.exchange_one(guarded(named_otherwise)), Forbidden)
    wire.close()


def test_what_passes_is_multiplexed_and_connected_once_as_all_else(files: tuple[Path, Path], server: Server) -> None:
    wire = Wire(ca_file=str(files[0]), private_hosts={"127.0.0.1"})
    for _ in range(3):
        answers = dict(wire.exchange([guarded(server.url("/answer"))] * 90))
        assert {answer.body for answer in answers.values() if isinstance(answer, Response)} == {b"hello"}
    assert (len(server.paths()), server.connections) == (270, 1)
    wire.close()


def test_no_socket_is_kept_open_beside_libcurls(files: tuple[Path, Path], server: Server) -> None:
    before = open_sockets()
    wire = Wire(ca_file=str(files[0]), private_hosts={"127.0.0.1"})
    assert isinstance(wire.exchange_one(guarded(server.url("/answer"))), Response)
    wire.close()
    until(lambda: open_sockets() <= before)


def test_a_redirect_leads_nowhere(files: tuple[Path, Path], server: Server) -> None:
    wire = Wire(ca_file=str(files[0]), private_hosts={"127.0.0.1"})
    answer = wire.exchange_one(guarded(server.url("/redirect")))
    assert isinstance(answer, Response)
    assert (answer.status, server.paths()) == (302, ["/redirect"])
    wire.close()


def test_a_name_that_does_not_exist_is_no_breach(wire: Wire) -> None:
    assert isinstance(wire.exchange_one(guarded("https://nowhere.invalid/a")), NotSent)


# --- which of several addresses ----------------------------------------------------------------------
def opened(guard: Guard, ip: str, family: int = socket.AF_INET) -> bool:
    """Whether a socket is made for this address, as libcurl would ask."""
    asked: Any = type(
        "Address", (), {"family": family, "socktype": socket.SOCK_STREAM, "protocol": 6, "addr": (ip, 443)}
    )
    found = guard._open(0, asked)
    return bool(found != pycurl.SOCKET_BAD)


@pytest.mark.parametrize("order", [["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "10.0.0.1"]])
def test_a_name_with_a_public_address_too_fails_in_passing(order: list[str]) -> None:
    guard = Guard(pycurl.Curl(), ())
    guard.watch(guarded("https://push.example.net/"))
    assert [opened(guard, ip) for ip in order] == [ip == "8.8.8.8" for ip in order]
    assert guard.verdict(0.0) is None


def test_a_name_with_private_addresses_alone_is_forbidden() -> None:
    guard = Guard(pycurl.Curl(), ())
    guard.watch(guarded("https://push.example.net/"))
    assert not opened(guard, "10.0.0.1")
    assert not opened(guard, "fd00::1", socket.AF_INET6)
    assert not opened(guard, "/var/run/docker.sock", socket.AF_UNIX)
    assert isinstance(guard.verdict(0.0), Forbidden)


def test_what_was_refused_once_is_forgotten_with_the_next_request() -> None:
    guard = Guard(pycurl.Curl(), ())
    guard.watch(guarded("https://push.example.net/"))
    assert not opened(guard, "10.0.0.1")
    guard.watch(guarded("https://push.example.net/"))
    assert guard.verdict(0.0) is None


@pytest.mark.parametrize("url", ["https://", "https://[", "nonsense", ""])
def test_an_address_that_is_none_is_guarded_all_the_same(url: str) -> None:
    guard = Guard(pycurl.Curl(), {"localhost"})
    guard.watch(guarded(url))
    assert guard.is_on
