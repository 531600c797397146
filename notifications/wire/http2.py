"""The only HTTP client of the pipeline: many requests at once over few connections.

libcurl multiplexes them over HTTP/2 (one multi handle, reused easy handles). Every request ends in one of these
ways, and the difference decides whether it may be repeated:

- `Response`: an answer came, whatever it says.
- `NotSent`: the provider cannot have acted on it. Either libcurl never asked for the body (no name, no connection,
  no certificate, no free stream in time), or the server refused the stream unprocessed (RFC 9113, section 8.7).
- `NoAnswer`: the body, or a part of it, was handed over and no answer came.
- `Forbidden`: it was not allowed to begin (`wire/guard.py`).

libcurl repeats a request by itself when a reused connection dies before the first byte of the answer, also a POST
that the server may have acted on (github.com/curl/curl/pull/18417). To repeat it must rewind the body, and rewinding
is refused here, so that nothing leaves twice unseen.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from io import BytesIO
from typing import Final

import certifi
import pycurl
from django.conf import settings

from notifications.providers.contract import Exchange, Forbidden, NoAnswer, NotSent, Request, Response
from notifications.stopping import stopping
from notifications.wire.cork import Corks
from notifications.wire.guard import Guard
from notifications.wire.head import Head, header_lines
from notifications.wire.line import MAX_IN_FLIGHT, Line, origin

#: A server that allows 100 streams needs six of these for all in flight; one that speaks HTTP/1.1 needs them all.
CONNECTIONS_PER_HOST: Final = 16
CONNECT_TIMEOUT: Final = 5.0
#: Seconds for an exchange that names no time of its own.
USUAL_TIMEOUT: Final = 10.0
#: In bytes; the longest real answer of a provider is a few kilobytes.
MAX_ANSWER: Final = 1 << 20
#: In bytes, for each request under way; libcurl's own 64 KB take 30 MB of a worker more, and few bodies are this long.
_UPLOAD_BUFFER: Final = 1 << 14
#: How often a request goes out before refusals ("go away", "too many streams") count as a failure.
MAX_REFUSALS: Final = 3

#: What libcurl says when it wanted to repeat a request and nothing else had gone wrong before. The first error of a
#: transfer is the one that is kept, so a connection that broke shows its own text instead.
_NOTHING_BUT_REFUSED: Final = "seek callback returned error"
_LONGEST_WAIT: Final = 1.0


class _Transfer:
    """One reusable easy handle, and the request that it carries at the moment."""

    __slots__ = (
        "_answer", "_guard", "_head", "_method", "_offset", "_timeout", "_usual_timeout", "body_asked", "easy",
        "origin", "position", "refusals", "request", "sink",
    )  # fmt: skip

    request: Request
    origin: str
    position: int
    sink: deque["_Transfer"]

    def __init__(
        self, ca_file: str, protocols: int, corks: Corks, private_hosts: Collection[str], usual_timeout: float
    ) -> None:
        self._head, self._answer = BytesIO(), BytesIO()
        self._method, self._timeout, self._usual_timeout = "", 0.0, usual_timeout
        self.easy = easy = pycurl.Curl()
        easy.transfer = self
        self._guard = Guard(easy, private_hosts)
        for option, value in {
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.PIPEWAIT: 1,
            pycurl.PROTOCOLS: protocols,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.CAINFO: ca_file,
            pycurl.CONNECTTIMEOUT_MS: int(CONNECT_TIMEOUT * 1000),
            pycurl.TCP_KEEPALIVE: 1,
            pycurl.TCP_NODELAY: 1,
            pycurl.NOSIGNAL: 1,
            pycurl.NOPROXY: "*",
            pycurl.USERAGENT: "bongsu",
            pycurl.MAXFILESIZE_LARGE: MAX_ANSWER,
            pycurl.UPLOAD_BUFFERSIZE: _UPLOAD_BUFFER,
            pycurl.SOCKOPTFUNCTION: corks.opened,
            pycurl.READFUNCTION: self._read,
            pycurl.SEEKFUNCTION: _refuse_to_rewind,
            pycurl.HEADERFUNCTION: self._head.write,
            pycurl.WRITEFUNCTION: self._answer.write,
        }.items():
            easy.setopt(option, value)

    def load(self, request: Request) -> None:
        """Take up a request. Raises `ValueError` or `pycurl.error` for one that no HTTP can carry."""
        if request.public_only or self._guard.is_on:
            self._guard.watch(request)
        self.request, self.refusals = request, 0
        self.origin = origin(request.url)
        easy = self.easy
        easy.setopt(pycurl.URL, request.url)
        easy.setopt(pycurl.HTTPHEADER, header_lines(request.headers.items()))
        timeout = self._usual_timeout if request.timeout is None else request.timeout
        if timeout != self._timeout:
            easy.setopt(pycurl.TIMEOUT_MS, max(1, int(timeout * 1000)))
            self._timeout = timeout
        if (method := request.method) != self._method:
            self._take(method)
        if method == "POST":
            easy.setopt(pycurl.POSTFIELDSIZE_LARGE, len(request.body))
        self.rewind()

    def _take(self, method: str) -> None:
        if method not in ("GET", "POST"):
            raise ValueError(f"the wire knows GET and POST, not {method!r}")
        self.easy.setopt(pycurl.POST if method == "POST" else pycurl.HTTPGET, 1)
        self._method = method

    def rewind(self) -> None:
        """Forget what a try before this one read and wrote."""
        self.body_asked = False
        self._offset = 0
        for buffer in (self._head, self._answer):
            buffer.seek(0)
            buffer.truncate()

    def _read(self, size: int) -> bytes:
        self.body_asked = True
        chunk = self.request.body[self._offset : self._offset + size]
        self._offset += len(chunk)
        return chunk

    def answer(self) -> Response:
        """What came back, once libcurl says that it is complete."""
        status: int = self.easy.getinfo(pycurl.RESPONSE_CODE)
        return Response(status, Head(self._head.getvalue()), self._answer.getvalue(), self._elapsed())

    def failure(self, text: str, *, refused: bool) -> NotSent | NoAnswer | Forbidden:
        """What it means that no complete answer came."""
        if self._guard.is_on and (forbidden := self._guard.verdict(self._elapsed())):
            return forbidden
        left = self.body_asked or (not self.request.body and self.easy.getinfo(pycurl.REQUEST_SIZE) > 0)
        return (NoAnswer if left and not refused else NotSent)(text, self._elapsed())

    def _elapsed(self) -> float:
        seconds: float = self.easy.getinfo(pycurl.TOTAL_TIME)
        return seconds


class Http2Wire:
    """One set of connections, for one thread of one process.

    `ca_file` replaces the certificate authorities that are trusted, which are Mozilla's. `protocols` is what may be
    spoken, as libcurl's bit mask. `timeout`, in seconds, is for requests that name none. `private_hosts` may be named
    by requests that are `public_only`. As soon as `gives_up` says so, nothing more is sent or waited for: what has no
    answer then ends as if its connection had broken.
    """

    def __init__(
        self,
        *,
        ca_file: str = "",
        protocols: int = pycurl.PROTO_HTTPS,
        timeout: float = USUAL_TIMEOUT,
        private_hosts: Collection[str] = (),
        gives_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._gives_up = gives_up
        self._ca_file = ca_file or certifi.where()
        self._protocols = protocols
        self._timeout = timeout
        self._private_hosts = private_hosts
        self._idle: list[_Transfer] = []
        #: The HTTP version in which each origin answers, as libcurl's number.
        self._versions: dict[str, int] = {}
        self._finished: dict[_Transfer, Exchange] = {}
        self._corks = Corks()
        #: Requests that libcurl took over since it last wrote.
        self._launched = 0
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, 2)  # CURLPIPE_MULTIPLEX
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST)

    def exchange(self, requests: Iterable[Request]) -> Iterator[tuple[int, Exchange]]:
        """Perform requests; yields the position of each with what became of it, in the order of arrival.

        `requests` is read as places become free, so it may be a stream that makes them one by one. Close the iterator
        early and what is under way is dropped; it may have left.
        """
        return self._perform(Line(requests, self._versions))

    def exchange_one(self, request: Request) -> Exchange:
        """Perform one request and wait for it."""
        ((_, exchange),) = self.exchange([request])
        return exchange

    def close(self) -> None:
        """Close every connection."""
        for transfer in self._idle:
            transfer.easy.close()
        self._idle.clear()
        self._multi.close()

    def _perform(self, line: Line) -> Iterator[tuple[int, Exchange]]:
        arrived: deque[_Transfer] = deque()
        flying: set[_Transfer] = set()
        try:
            while True:
                while len(flying) < MAX_IN_FLIGHT and (numbered := line.next()):
                    position, request = numbered
                    transfer = self._idle.pop() if self._idle else self._transfer()
                    transfer.position, transfer.sink = position, arrived
                    flying.add(transfer)
                    self._launch(transfer, request)
                if not flying:
                    return
                self._pump(block=not arrived)
                if self._gives_up():
                    self._abandon(flying)
                while arrived:
                    transfer = arrived.popleft()
                    flying.remove(transfer)
                    self._idle.append(transfer)
                    line.ended(transfer.origin, transfer.request.crowd)
                    del transfer.request  # an idle handle would keep its last body alive
                    yield transfer.position, self._finished.pop(transfer)
        finally:
            for transfer in flying:
                if self._finished.pop(transfer, None) is None:
                    self._multi.remove_handle(transfer.easy)
                self._idle.append(transfer)

    def _abandon(self, flying: Iterable[_Transfer]) -> None:
        for transfer in flying:
            if transfer not in self._finished:
                self._multi.remove_handle(transfer.easy)
                self._settle(transfer, transfer.failure("given up: the worker ends", refused=False))

    def _launch(self, transfer: _Transfer, request: Request) -> None:
        try:
            transfer.load(request)
        except (ValueError, pycurl.error) as error:
            self._settle(transfer, NotSent(f"not a request that HTTP can carry: {error}"))
            return
        if self._gives_up():
            self._settle(transfer, NotSent("not begun: the worker ends"))
        elif time.monotonic() > request.start_by:
            self._settle(transfer, NotSent("not begun: it was too late for it"))
        else:
            self._launched += 1
            self._multi.add_handle(transfer.easy)

    def _transfer(self) -> _Transfer:
        return _Transfer(self._ca_file, self._protocols, self._corks, self._private_hosts, self._timeout)

    def _pump(self, *, block: bool) -> None:
        """Let libcurl read and write; with `block`, wait until there is something to do."""
        with self._corks.held(self._launched):
            self._multi.perform()
        self._launched = 0
        if not self._collect() and block:
            until_due = self._multi.timeout()
            self._multi.select(_LONGEST_WAIT if until_due < 0 else min(until_due / 1000, _LONGEST_WAIT))

    def _collect(self) -> bool:
        """Hand finished transfers to whoever waits for them; says whether there was one."""
        found = False
        more = 1
        while more:
            more, answered, failed = self._multi.info_read()
            for easy in answered:
                self._multi.remove_handle(easy)
                transfer = easy.transfer
                if transfer.origin not in self._versions:
                    self._versions[transfer.origin] = easy.getinfo(pycurl.INFO_HTTP_VERSION)
                self._settle(transfer, transfer.answer())
            for easy, code, text in failed:
                self._multi.remove_handle(easy)
                self._give_up_or_repeat(easy.transfer, code, text)
            found = found or bool(answered or failed)
        return found

    def _give_up_or_repeat(self, transfer: _Transfer, code: int, text: str) -> None:
        refused = (
            code == pycurl.E_SEND_FAIL_REWIND
            and text.startswith(_NOTHING_BUT_REFUSED)
            and self._versions.get(transfer.origin) == pycurl.CURL_HTTP_VERSION_2_0
        )
        transfer.refusals += refused
        if refused and transfer.refusals < MAX_REFUSALS:
            transfer.rewind()
            self._multi.add_handle(transfer.easy)
            return
        reason = "the server refused the stream unprocessed" if refused else text or f"libcurl error {code}"
        self._settle(transfer, transfer.failure(reason, refused=refused))

    def _settle(self, transfer: _Transfer, exchange: Exchange) -> None:
        self._finished[transfer] = exchange
        transfer.sink.append(transfer)


_mine = threading.local()
#: Wires of the process that this one was forked from. To close them would end the parent's connections.
_inherited: Final[list[Http2Wire]] = []


def exchange(requests: Iterable[Request]) -> Iterator[tuple[int, Exchange]]:
    """`Http2Wire.exchange` over this process's own connections, which stay open between calls."""
    return _wire().exchange(requests)


def exchange_one(request: Request) -> Exchange:
    """`Http2Wire.exchange_one` over this process's own connections."""
    return _wire().exchange_one(request)


def _wire() -> Http2Wire:
    wire: Http2Wire | None = getattr(_mine, "wire", None)
    if wire is not None and _mine.pid != os.getpid():
        _inherited.append(wire)
        wire = None
    if wire is None:
        _mine.wire = wire = Http2Wire(
            ca_file=settings.WIRE_CA_FILE,
            timeout=settings.PROVIDER_SECONDS,
            private_hosts=settings.WIRE_PRIVATE_HOSTS,
            gives_up=stopping.is_urgent,
        )
        _mine.pid = os.getpid()
    return wire


def _refuse_to_rewind(_offset: int, _origin: int) -> int:
    result: int = pycurl.SEEKFUNC_FAIL
    return result
