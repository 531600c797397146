"""A real HTTP server over TLS that misbehaves on request: the path says how."""

import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from h2.errors import ErrorCodes
from hyperframe.frame import SettingsFrame

ANSWER_HEADERS = [("content-type", "text/plain"), ("x-server", "tests")]


@dataclass(frozen=True)
class Received:
    """A request that arrived whole; `connection` counts from 1."""

    connection: int
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class _Stream:
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wire tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


class Server:
    """Listens on a free port of 127.0.0.1; one thread a connection.

    What a path does: `/answer` 200 and the body back, `/held` the same, but not before `/release` on that
    connection, `/never` nothing, `/interim` 103 and then 200, `/redirect` 302, `/huge` 2 MB,
    `/reset` RST_STREAM, `/refuse` RST_STREAM "refused", `/goaway` GOAWAY that leaves the request out (on the first
    connection only), `/close` a closed connection.
    """

    def __init__(self, certificate_file: Path, key_file: Path, *, max_streams: int = 100, protocol: str = "h2") -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._max_streams = max_streams
        self._protocol = protocol
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate_file, key_file)
        self._tls.set_alpn_protocols([protocol])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}{path}"

    def paths(self) -> list[str]:
        return [one.path for one in self.received]

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(plain)
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(plain, server_side=True) as secure:
                self.connections += 1
                if self._protocol == "h2":
                    _Http2(self, secure, self.connections, self._max_streams).run()
                else:
                    self._serve_http1(secure, self.connections)
        except OSError:
            pass  # the client went away, or did not like the certificate

    def _serve_http1(self, secure: ssl.SSLSocket, number: int) -> None:
        stream = secure.makefile("rb")
        while line := stream.readline():
            path = line.split()[1].decode()
            headers = {}
            while line := stream.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            self.received.append(Received(number, path, headers, stream.read(int(headers["content-length"]))))
            if path == "/close":
                secure.unwrap()  # a clean end, with nothing said
                return
            secure.sendall(b"HTTP/1.1 200 OK\r\nX-Server: tests\r\nContent-Length: 2\r\n\r\nok")


class _Http2:
    """One connection."""

    def __init__(self, server: Server, secure: ssl.SSLSocket, number: int, max_streams: int) -> None:
        self._server, self._socket, self._number = server, secure, number
        self._streams: dict[int, _Stream] = {}
        self._held: dict[int, bytes] = {}
        self._unsent: dict[int, bytes] = {}
        self._open = True
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self._h2.initiate_connection()
        self._max_streams = max_streams

    def run(self) -> None:
        # Said, but not to h2: it would end the connection of a client that opens too many, instead of refusing them.
        limit = SettingsFrame(settings={SettingsFrame.MAX_CONCURRENT_STREAMS: self._max_streams})
        self._socket.sendall(self._h2.data_to_send() + limit.serialize())
        while self._open and (data := self._socket.recv(65536)):
            for event in self._h2.receive_data(data):
                self._take(event)
            if not self._open:  # what was taken may have closed it
                break  # type: ignore[unreachable]
            self._push_unsent()
            self._socket.sendall(self._h2.data_to_send())

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                if self._h2.open_inbound_streams > self._max_streams:
                    self._h2.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
                    return
                headers = {name.decode(): value.decode() for name, value in event.headers}
                self._streams[event.stream_id] = _Stream(headers)
            case h2.events.DataReceived() if event.stream_id in self._streams:
                self._streams[event.stream_id].body += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded() if event.stream_id in self._streams:
                stream = self._streams.pop(event.stream_id)
                self._obey(event.stream_id, stream.headers[":path"], stream)

    def _obey(self, stream_id: int, path: str, stream: _Stream) -> None:
        body = bytes(stream.body)
        unprocessed = path == "/refuse" or (path == "/goaway" and self._number == 1)
        self._server.received.append(Received(self._number, path, stream.headers, body))
        match path.split("/")[1:]:
            case ["never"]:
                pass
            case ["held"]:
                self._held[stream_id] = body
            case ["release"]:
                for waiting, kept in [*self._held.items(), (stream_id, body)]:
                    self._answer(waiting, kept)
                self._held.clear()
            case ["interim"]:
                self._h2.send_headers(stream_id, [(":status", "103"), ("x-interim", "yes")])
                self._answer(stream_id, body)
            case ["redirect"]:
                self._answer(stream_id, b"", status="302", extra=[("location", "/answer")])
            case ["huge"]:
                self._answer(stream_id, b"x" * (2 << 20))
            case ["reset"]:
                self._h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
            case ["refuse"]:
                self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            case ["goaway"] if unprocessed:
                self._h2.close_connection(last_stream_id=stream_id - 2)
                self._socket.sendall(self._h2.data_to_send())
                self._leave_when_the_client_does()
            case ["close"]:
                self._open = False
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case _:
                self._answer(stream_id, body)

    def _leave_when_the_client_does(self) -> None:
        while self._socket.recv(65536):
            pass
        self._open = False

    def _answer(
        self, stream_id: int, body: bytes, *, status: str = "200", extra: list[tuple[str, str]] | None = None
    ) -> None:
        self._h2.send_headers(stream_id, [(":status", status), *ANSWER_HEADERS, *(extra or [])])
        self._unsent[stream_id] = body
        self._push_unsent()

    def _push_unsent(self) -> None:
        """Send as much of the answers as the client's windows allow."""
        for stream_id, unsent in list(self._unsent.items()):
            body = unsent
            while body and (window := self._h2.local_flow_control_window(stream_id)):
                size = min(window, self._h2.max_outbound_frame_size, len(body))
                self._h2.send_data(stream_id, body[:size])
                body = body[size:]
            self._unsent[stream_id] = body
            if not body:
                self._h2.end_stream(stream_id)
                del self._unsent[stream_id]
