"""Ask the sandbox from within its process, as Granian asks it from without."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NoReturn

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
        return exchange.told


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
        self.told: Told | None = None
        self._body = body

    async def __call__(self) -> bytes:
        return self._body

    async def client_disconnect(self) -> None:
        """Never seen from here: whoever asked cancels the question."""
        await asyncio.Event().wait()

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.told = _told(status, headers, b"")

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.told = _told(status, headers, body)

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "_Nothing":
        """A provider begins one only to break it off."""
        return _Nothing()


class _Nothing:
    async def send_bytes(self, data: bytes) -> NoReturn:
        raise NotImplementedError


def _told(status: int, headers: list[tuple[str, str]], body: bytes) -> Told:
    return Told(status, [(name, value) for name, value in headers if name not in _OF_THE_CONNECTION], body)
