"""What Granian's RSGI hands to an application, as far as the sandbox uses it (github.com/emmett-framework/granian)."""

from typing import Protocol

from sandbox.exchange import Headers


class Scope(Protocol):
    """One request line with its headers."""

    http_version: str
    method: str
    path: str
    query_string: str

    @property
    def headers(self) -> Headers:
        """The request's headers."""
        ...


class Stream(Protocol):
    """An answer in pieces."""

    async def send_bytes(self, data: bytes) -> None: ...


class Exchange(Protocol):
    """Reads the body when called, and answers once."""

    async def __call__(self) -> bytes: ...

    async def client_disconnect(self) -> None: ...

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Stream: ...
