"""Requests whose host somebody else chose go out to the internet, and never into a private network.

What a name leads to is known when libcurl connects, and may be something else a moment later (DNS rebinding). So the
very address that is connected to is judged: before a socket is made for it (CURLOPT_OPENSOCKETFUNCTION), and again
before a request goes over a connection that is there already, perhaps for an account of ours whose endpoint is inside
(CURLOPT_PREREQFUNCTION). Requests that are not guarded have neither function.
"""

import socket
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import pycurl

from accounts.internet import is_public
from notifications.providers.contract import Forbidden, Request


class Guard:
    """The guard of one easy handle. `private_hosts` are names that may lead anywhere all the same."""

    __slots__ = ("_easy", "_may_be_private", "_private_hosts", "_refused", "_tried", "is_on")

    def __init__(self, easy: Any, private_hosts: Collection[str]) -> None:
        self._easy = easy
        self._private_hosts = private_hosts
        self.is_on = self._may_be_private = False
        self._refused, self._tried = "", False

    def watch(self, request: Request) -> None:
        """Guard the next transfer as its request asks."""
        self._refused, self._tried = "", False
        self._may_be_private = _host(request.url) in self._private_hosts
        if request.public_only is not self.is_on:
            self.is_on = request.public_only
            self._easy.setopt(pycurl.OPENSOCKETFUNCTION, self._open if self.is_on else None)
            self._easy.setopt(pycurl.PREREQFUNCTION, self._judge if self.is_on else None)

    def verdict(self, elapsed: float) -> Forbidden | None:
        """What became of a transfer that failed, where that was this guard's doing: there was no public address."""
        if self._tried or not self._refused:
            return None
        return Forbidden(f"the address leads to {self._refused}, which is not public", elapsed)

    def _open(self, _purpose: int, address: Any) -> Any:
        if address.family not in (socket.AF_INET, socket.AF_INET6) or not self._passes(address.addr[0]):
            self._refused = str(address.addr[0])
            return pycurl.SOCKET_BAD
        self._tried = True
        return _Lent(socket.socket(address.family, address.socktype, address.protocol))

    def _judge(self, address: str, *_rest: object) -> int:
        """Before the first byte of the request."""
        if self._passes(address):
            return int(pycurl.PREREQFUNC_OK)
        self._refused, self._tried = address, False
        return int(pycurl.PREREQFUNC_ABORT)

    def _passes(self, address: str) -> bool:
        return self._may_be_private or is_public(address)


class _Lent:
    """A socket for pycurl, which takes a duplicate of its descriptor: the connection would outlive libcurl's end of it
    as long as ours is open."""

    __slots__ = ("_socket",)

    def __init__(self, made: socket.socket) -> None:
        self._socket = made

    def fileno(self) -> int:
        """The descriptor to be duplicated."""
        return self._socket.fileno()

    def __del__(self) -> None:
        self._socket.close()


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
