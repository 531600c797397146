"""Requests that leave together share packets.

libcurl writes every request to its connection by itself: a system call and, without Nagle's algorithm, a packet each. With
Nagle's algorithm a lonely request may wait for the answer to the one before. So connections are corked while libcurl
writes many requests, and uncorked at once (tcp(7), TCP_CORK): full packets, and no wait. On a loopback network that takes
6 microseconds a request off the sender and 5 off the receiver.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pycurl

#: Linux has it; elsewhere requests go as libcurl writes them.
_CORK: Final[int | None] = getattr(socket, "TCP_CORK", None)
#: Fewer requests than this are not worth the system calls.
_WORTH: Final = 8


class Corks:
    """The connections of one wire, known by their file descriptors."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}

    def opened(self, descriptor: int, _purpose: int) -> int:
        """libcurl has made a socket (CURLOPT_SOCKOPTFUNCTION). It stays libcurl's: nothing here may close it."""
        self._forget(descriptor)
        self._sockets[descriptor] = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
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

    def close(self) -> None:
        """Know none of them any more."""
        for descriptor in list(self._sockets):
            self._forget(descriptor)

    def _set(self, option: int, value: int) -> None:
        for descriptor, one in list(self._sockets.items()):
            try:
                one.setsockopt(socket.IPPROTO_TCP, option, value)
            except OSError:  # libcurl has closed it since
                self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        if descriptor in self._sockets:
            self._sockets.pop(descriptor).detach()
