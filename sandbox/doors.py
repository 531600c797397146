"""Front doors of APNs and FCM, as strict about HTTP/2 connections as theirs, where Granian is generous.

- FCM takes 100 streams a connection (firebase/firebase-admin-node issue 2943), APNs one until it has seen a valid token
  and then many (developer.apple.com, "Establishing a connection to APNs"). One too many is refused, unprocessed.
- A door can be told to go away, as front ends do when they are replaced: every connection says GOAWAY with the last
  stream that it took (RFC 9113, section 6.8). Those up to it are answered; those above it were never looked at, and the
  client has to bring them to another connection. APNs tells the reason, as JSON, in the debug data.
- Who says nothing for a while is asked by PING whether they are there, and cut off if they are not.
"""

import asyncio
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import msgspec
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from sandbox.within import Told

#: What a door asks whoever stands behind it.
Ask = Callable[[Mapping[str, str], bytes], Awaitable[Told | None]]

#: More streams than any client opens: h2 would end the connection at its own limit, where a door refuses the stream.
_ANY: Final = 100_000
#: In bytes, for all streams of a connection together.
_WINDOW: Final = 1 << 24

#: Types of frames: RFC 9113, sections 6.5 and 6.8.
_SETTINGS, _GOAWAY = 4, 7


class Manners(msgspec.Struct, frozen=True):
    """How a service treats connections. `patience`: seconds of silence until it asks, and again until it hangs up.

    `streams_at_first` hold until the first answer that is not `stranger`, which is what somebody without a valid token
    is told. `says_why`: its GOAWAY has the reason in it.
    """

    streams: int
    streams_at_first: int
    stranger: int = 403
    says_why: bool = False
    patience: float = 60.0


#: Google publishes no number for pings, nor does Apple.
APNS: Final = Manners(streams=1000, streams_at_first=1, says_why=True)
FCM: Final = Manners(streams=100, streams_at_first=100)


class Seen(msgspec.Struct):
    """What happened at a door. `most` streams were open at once on one connection; `strange_most`: before it was known.

    `refused` streams were too many; `left_out` came after a GOAWAY; `hung_up` counts connections that did not answer.
    """

    connections: int = 0
    open: int = 0
    streams: int = 0
    most: int = 0
    strange_most: int = 0
    refused: int = 0
    left_out: int = 0
    pings: int = 0
    hung_up: int = 0


class Door:
    """One service's door."""

    def __init__(self, manners: Manners, ask: Ask) -> None:
        self.manners = manners
        self.ask = ask
        self.seen = Seen()
        self._connections: set[_Connection] = set()

    async def listen(self, host: str, port: int, certificate: Path, key: Path) -> asyncio.Server:
        """Take connections; HTTP/2 over TLS is all that is spoken."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.load_cert_chain(certificate, key)
        tls.set_alpn_protocols(["h2"])
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Connection(self), host, port, ssl=tls, backlog=500)

    def go_away(self, reason: str) -> int:
        """Every connection of this moment says GOAWAY; how many those are."""
        for connection in list(self._connections):
            connection.go_away(reason)
        return len(self._connections)

    def entered(self, connection: "_Connection") -> None:
        """Note a new connection."""
        self._connections.add(connection)
        self.seen.connections += 1
        self.seen.open = len(self._connections)

    def left(self, connection: "_Connection") -> None:
        """Note its end."""
        self._connections.discard(connection)
        self.seen.open = len(self._connections)


class _Stream:
    """A request that comes in, and then the task that answers it."""

    __slots__ = ("body", "head", "task")

    def __init__(self, head: dict[str, str]) -> None:
        self.head = head
        self.body = bytearray()
        self.task: asyncio.Task[None] | None = None


class _Connection(asyncio.Protocol):
    def __init__(self, door: Door) -> None:
        self._door, self._seen, self._manners = door, door.seen, door.manners
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self._h2.local_settings = h2.settings.Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: _ANY}
        )
        #: Those that were taken and are not answered yet.
        self._streams: dict[int, _Stream] = {}
        self._limit = door.manners.streams_at_first
        self._is_known = door.manners.streams_at_first == door.manners.streams
        self._highest = 0
        self._is_going = False
        self._silence: asyncio.TimerHandle | None = None
        self._was_asked = False

    # --- the connection ----------------------------------------------------------------------------
    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            transport.close()
            return
        self._door.entered(self)
        self._h2.initiate_connection()
        self._h2.data_to_send()  # settings that say _ANY; ours follow
        self._announce()
        self._h2.increment_flow_control_window(_WINDOW)
        self._flush()
        self._listen_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.left(self)
        if self._silence:
            self._silence.cancel()
        for stream in self._streams.values():
            if stream.task:
                stream.task.cancel()

    def data_received(self, data: bytes) -> None:
        self._listen_on()
        try:
            for event in self._h2.receive_data(data):
                self._take(event)
        except h2.exceptions.ProtocolError:
            self._flush()  # h2 has said what is wrong
            self._transport.close()
            return
        self._flush()

    def go_away(self, reason: str) -> None:
        """Take no more streams; close when the last of those taken is answered."""
        if self._is_going:
            return
        self._is_going = True
        why = msgspec.json.encode({"reason": reason}) if self._manners.says_why else b""
        # not through h2, which would answer nothing more after it
        self._transport.write(_frame(_GOAWAY, struct.pack(">II", self._highest, ErrorCodes.NO_ERROR) + why))
        self._leave_when_done()

    def _announce(self) -> None:
        self._transport.write(_frame(_SETTINGS, struct.pack(">HI", SettingCodes.MAX_CONCURRENT_STREAMS, self._limit)))

    def _listen_on(self) -> None:
        """Something was heard: be patient anew."""
        self._was_asked = False
        if self._silence:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(self._manners.patience, self._was_silent)

    def _was_silent(self) -> None:
        if self._was_asked:
            self._seen.hung_up += 1
            self.go_away("IdleTimeout")
            self._transport.close()
            return
        self._was_asked = True
        self._seen.pings += 1
        self._h2.ping(struct.pack(">Q", self._seen.pings))
        self._flush()
        self._silence = asyncio.get_running_loop().call_later(self._manners.patience, self._was_silent)

    # --- its streams -------------------------------------------------------------------------------
    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._begun(event)
            case h2.events.DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if stream := self._streams.get(event.stream_id):
                    stream.body.extend(event.data)
            case h2.events.StreamEnded():
                if stream := self._streams.get(event.stream_id):
                    stream.task = asyncio.ensure_future(self._answer(event.stream_id, stream))
            case h2.events.StreamReset():
                if (given_up := self._streams.pop(event.stream_id, None)) and given_up.task:
                    given_up.task.cancel()
            case _:
                pass

    def _begun(self, event: h2.events.RequestReceived) -> None:
        self._seen.streams += 1
        if self._is_going:
            self._seen.left_out += 1
            return
        self._highest = event.stream_id
        if len(self._streams) >= self._limit:
            self._seen.refused += 1
            self._h2.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._streams[event.stream_id] = _Stream({str(name): str(value) for name, value in event.headers})
        self._seen.most = max(self._seen.most, len(self._streams))
        if not self._is_known:
            self._seen.strange_most = max(self._seen.strange_most, len(self._streams))

    async def _answer(self, number: int, stream: _Stream) -> None:
        told = await self._door.ask(stream.head, bytes(stream.body))
        del self._streams[number]
        if told is None:
            self._h2.reset_stream(number, ErrorCodes.INTERNAL_ERROR)
        else:
            if not self._is_known and told.status != self._manners.stranger:
                self._is_known, self._limit = True, self._manners.streams
                self._announce()
            self._h2.send_headers(number, [(":status", str(told.status)), *told.headers], end_stream=not told.body)
            if told.body:
                self._h2.send_data(number, told.body, end_stream=True)
        self._flush()
        self._leave_when_done()

    def _leave_when_done(self) -> None:
        if self._is_going and not self._streams:
            self._transport.close()

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._transport.write(data)


def _frame(kind: int, payload: bytes) -> bytes:
    """A frame about the connection, without flags (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, 0, 0) + payload
