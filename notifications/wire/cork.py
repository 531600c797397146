"""Requests that leave together share packets.

libcurl writes every request to its connection by itself: a system call and, without Nagle's algorithm, a packet each.
With Nagle's algorithm a lonely request may wait for the answer to the one before. So connections are corked while
libcurl writes many requests, and uncorked at once (tcp(7), TCP_CORK): full packets, and no wait. On one machine's own
network that takes 15 microseconds a request off the sender and as many off the receiver.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pycurl

#: Linux has it; elsewhere requests go as libcurl writes them.
_CORK: Final[int | None] = getattr(socket, "TCP_CORK", None)
#: Fewer requests than this are not worth the system calls.
_WORTH: Final = 8


class Corks:
    """The connections of one wire, known by their file descriptors, which stay libcurl's: nothing here closes one.

    `on_open` is told of each that is new.
    """

    def __init__(self, on_open: Callable[[int], None] = lambda _descriptor: None) -> None:
        self._descriptors: set[int] = set()
        self._on_open = on_open

    def opened(self, descriptor: int, _purpose: int) -> int:
        """libcurl has made a socket (CURLOPT_SOCKOPTFUNCTION)."""
        self._descriptors.add(descriptor)
        self._on_open(descriptor)
        accepted: int = pycurl.SOCKOPT_OK
        return accepted

    @contextmanager
    def held(self, requests: int) -> Iterator[None]:
        """Keep what is written meanwhile until the end, when `requests` are many enough."""
        if requests < _WORTH or _CORK is None:
            yield
            return
        self._set(_CORK, 1)
        try:
            yield
        finally:
            self._set(_CORK, 0)

    def _set(self, option: int, value: int) -> None:
        for descriptor in list(self._descriptors):
            try:
                _set_option(descriptor, option, value)
            except OSError:  # libcurl has closed it since; what may have its number now is no connection
                self._descriptors.remove(descriptor)


def _set_option(descriptor: int, option: int, value: int) -> None:
    borrowed = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
    try:
        borrowed.setsockopt(socket.IPPROTO_TCP, option, value)
    finally:
        borrowed.detach()
