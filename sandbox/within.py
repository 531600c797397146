"""Ask the sandbox from within its process, as Granian asks it from without."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sandbox.exchange import Headers
from sandbox.server import Sandbox

#: Headers that speak of one connection alone (RFC 9110, section 7.6.1).
_OF_THE_CONNECTION: Final = frozenset({"connection", "transfer-encoding", "keep-alive"})


class Told(msgspec.Struct, frozen=True, gc=False):
    """An answer. Header names are lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Inside:
    """One way in: to the provider `name` and nothing else."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self._sandbox = sandbox
        self._prefix = f"/{name}/"

    async def ask(self, head: Mapping[str, str], body: bytes) -> Told | None:
        """What the provider answers to a request, whose head has HTTP/2's pseudo headers; None: nothing, ever."""
        if not head[":path"].startswith(self._prefix):
            return Told(404, [], b"")
        exchange = _Exchange(body)
        await self._sandbox.__rsgi__(_Scope(head), exchange)
        return exchange.told()


class _Scope:
    """The request line, and the headers."""

    http_version = "2"

    def __init__(self, head: Mapping[str, str]) -> None:
        self.method = head[":method"]
        self.path, _, self.query_string = head[":path"].partition("?")
        self._head = head

    @property
    def headers(self) -> Headers:
        return self

    def get(self, key: str, default: Any = None, /) -> Any:
        """One header's value."""
        return self._head.get(key, default)


class _Exchange:
    """Gives the body and keeps the answer."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._answer: Told | _Streamed | None = None

    def told(self) -> Told | None:
        """The answer, once it is over; None where there was none, or it broke off."""
        return self._answer.whole() if isinstance(self._answer, _Streamed) else self._answer

    async def __call__(self) -> bytes:
        return self._body

    async def client_disconnect(self) -> None:
        """Never seen from here: whoever asked cancels the question."""
        await asyncio.Event().wait()

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._answer = _told(status, headers, b"")

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._answer = _told(status, headers, body)

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "_Streamed":
        self._answer = _Streamed(status, headers)
        return self._answer


class _Streamed:
    """An answer in pieces. One that ends before the length it promised has broken off, which is how a fault is made."""

    def __init__(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._status, self._headers, self._body = status, headers, b""

    async def send_bytes(self, data: bytes) -> None:
        self._body += data

    def whole(self) -> Told | None:
        """The answer; None where it broke off."""
        promised = dict(self._headers).get("content-length", str(len(self._body)))
        return _told(self._status, self._headers, self._body) if promised == str(len(self._body)) else None


def _told(status: int, headers: list[tuple[str, str]], body: bytes) -> Told:
    return Told(status, [(name, value) for name, value in headers if name not in _OF_THE_CONNECTION], body)
