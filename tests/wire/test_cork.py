"""Real sockets: what is corked waits, and nothing that is libcurl's is closed."""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pycurl
import pytest

from notifications.wire.cork import Corks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="TCP_CORK is Linux's")

MANY = 100


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection; the second reads what has arrived, without waiting."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with near, far:
            far.settimeout(0)
            yield near, far


def corks_of(near: socket.socket) -> Corks:
    corks = Corks()
    assert corks.opened(near.fileno(), pycurl.SOCKTYPE_IPCXN) == pycurl.SOCKOPT_OK
    return corks


def arrived(far: socket.socket) -> bytes:
    try:
        return far.recv(100)
    except BlockingIOError:
        return b""


def test_what_is_written_for_many_requests_leaves_together(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    corks = corks_of(near)

    with corks.held(MANY):
        near.send(b"one ")
        near.send(b"two")
        meanwhile = arrived(far)

    assert (meanwhile, arrived(far)) == (b"", b"one two")


def test_a_single_request_leaves_at_once(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    corks = corks_of(near)

    with corks.held(1):
        near.send(b"one")
        meanwhile = arrived(far)

    assert meanwhile == b"one"


def test_an_error_meanwhile_leaves_nothing_corked(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    corks = corks_of(near)

    with contextlib.suppress(RuntimeError), corks.held(MANY):
        near.send(b"one")
        raise RuntimeError

    assert arrived(far) == b"one"


def test_a_descriptor_that_is_something_else_by_now_is_left_alone(ends: tuple[socket.socket, socket.socket]) -> None:
    near, _ = ends
    descriptor = os.dup(near.fileno())
    corks = Corks()
    corks.opened(descriptor, pycurl.SOCKTYPE_IPCXN)
    with Path(os.devnull).open("rb") as other:
        os.dup2(other.fileno(), descriptor)

        for _ in range(2):
            with corks.held(MANY):
                pass

        assert os.fstat(descriptor).st_rdev == os.fstat(other.fileno()).st_rdev
    os.close(descriptor)


def test_a_descriptor_that_was_closed_is_forgotten_and_may_come_again(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    near, far = ends
    descriptor = os.dup(near.fileno())
    corks = Corks()
    corks.opened(descriptor, pycurl.SOCKTYPE_IPCXN)
    os.close(descriptor)

    with corks.held(MANY):
        pass
    os.dup2(near.fileno(), descriptor)
    corks.opened(descriptor, pycurl.SOCKTYPE_IPCXN)
    with corks.held(MANY):
        near.send(b"one")
        meanwhile = arrived(far)

    assert (meanwhile, arrived(far)) == (b"", b"one")
    os.close(descriptor)
