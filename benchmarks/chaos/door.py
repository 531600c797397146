"""A door before a push service that goes away in the middle of things, as their front ends do when they are replaced.

It speaks HTTP/2 over TLS to the platform and hands each request on to the sandbox. Told to go away, every connection
says GOAWAY with the last stream that it took (RFC 9113, section 6.8): those up to it are answered, those above it were
never looked at, and the client has to bring them to another connection.
"""

import asyncio
import ssl
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import h2.config
import h2.connection
import h2.events
import h2.exceptions
from h2.settings import SettingCodes

#: Streams that a connection takes at once, as APNs allows.
_STREAMS: Final = 1000
#: Requests to the sandbox at once.
_AT_ONCE: Final = 400
#: Headers that speak of one connection alone (RFC 9110, section 7.6.1), or that this client sets by itself.
_NOT_HANDED_ON: Final = frozenset({"connection", "transfer-encoding", "content-length", "host", "keep-alive"})


#: The head of the frame: 8 bytes follow, type 7, no flags (RFC 9113, sections 4.1 and 6.8).
_GOAWAY: Final = b"\x00\x00\x08\x07\x00"


class Door:
    """Listens on a free port of 127.0.0.1 until the process ends. `target` is the sandbox's endpoint."""

    def __init__(self, target: str, certificate: Path, key: Path) -> None:
        self.url = ""
        #: How many streams were left out by connections that went away.
        self.left_out = 0
        self._target = target
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._tls.set_alpn_protocols(["h2"])
        #: Those that are open.
        self.connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._session: aiohttp.ClientSession | None = None
        ready = threading.Event()
        threading.Thread(target=self._run, args=[ready], daemon=True).start()
        ready.wait(10)

    def go_away(self) -> None:
        """Every connection of this moment says GOAWAY."""
        self._loop.call_soon_threadsafe(self._close_all)

    def _close_all(self) -> None:
        for connection in list(self.connections):
            connection.go_away()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        ready.set()
        self._loop.run_forever()

    async def _open(self) -> None:
        # what the sandbox's certificate is worth is the platform's question, not this door's
        connector = aiohttp.TCPConnector(limit=_AT_ONCE, ssl=False)
        self._session = aiohttp.ClientSession(connector=connector)
        server = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, ssl=self._tls, backlog=500)
        self.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        """The sandbox's status, headers and body; None where it answered nothing."""
        assert self._session is not None
        try:
            async with self._session.request(method, self._target + path, headers=headers, data=body) as answer:
                return answer.status, answer.headers.items(), await answer.read()
        except aiohttp.ClientError:
            return None


class _Connection(asyncio.Protocol):
    def __init__(self, door: Door) -> None:
        self._door = door
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self._streams: dict[int, tuple[dict[str, str], bytearray]] = {}
        self._waiting: set[asyncio.Task[None]] = set()
        self._last: int | None = None
        self._highest = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._door.connections.add(self)
        self._h2.initiate_connection()
        self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: _STREAMS})
        self._h2.increment_flow_control_window(2**24)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.connections.discard(self)
        for task in self._waiting:
            task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._h2.receive_data(data):
                self._take(event)
        except h2.exceptions.ProtocolError:
            self._transport.close()
            return
        self._flush()

    def go_away(self) -> None:
        """Take no more streams; close when the last of those taken is answered."""
        if self._last is None:
            self._last = self._highest
            # not through h2, which would answer nothing more after it
            self._transport.write(_GOAWAY + struct.pack(">III", 0, self._last, 0))
            self._leave_when_done()

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                if self._last is not None:
                    self._door.left_out += 1
                    return
                self._highest = event.stream_id
                self._streams[event.stream_id] = {str(name): str(value) for name, value in event.headers}, bytearray()
            case h2.events.DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if event.stream_id in self._streams:
                    self._streams[event.stream_id][1].extend(event.data)
            case h2.events.StreamEnded() if event.stream_id in self._streams:
                task = asyncio.ensure_future(self._answer(event.stream_id, *self._streams.pop(event.stream_id)))
                self._waiting.add(task)
                task.add_done_callback(self._done)
            case _:
                pass

    async def _answer(self, stream: int, headers: dict[str, str], body: bytearray) -> None:
        plain = {name: value for name, value in headers.items() if not name.startswith(":")}
        told = await self._door.ask(headers[":method"], headers[":path"], plain, bytes(body))
        if told is None:
            self._h2.reset_stream(stream)
        else:
            status, theirs, content = told
            ours = [(name.lower(), value) for name, value in theirs if name.lower() not in _NOT_HANDED_ON]
            self._h2.send_headers(stream, [(":status", str(status)), *ours], end_stream=not content)
            if content:
                self._h2.send_data(stream, content, end_stream=True)
        self._flush()

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._waiting.discard(task)
        if not task.cancelled():
            task.exception()  # of a client that has gone: nobody is left to be answered
        self._leave_when_done()

    def _leave_when_done(self) -> None:
        if self._last is not None and not self._waiting and not self._streams:
            self._transport.close()

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._transport.write(data)
