"""A real mail server that misbehaves on request: the recipient's local part says how."""

import base64
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

#: The account that may log in.
USER, PASSWORD = "postbote", "geheim ✓"


@dataclass(frozen=True)
class Mail:
    """A message that was taken; `connection` counts from 1."""

    connection: int
    sender: str
    recipient: str
    content: bytes


class MailServer:
    """Listens on a free port of 127.0.0.1; one thread a connection.

    What a recipient does: `dead` 550 to RCPT, `spam` 554 to the message, `later` 451 to RCPT, `full` 421 to RCPT and
    a closed connection, `hangup` a closed connection at DATA, `halfway` one in the middle of the message, `toobig` 552
    in the middle of it, `taken` a reset instead of the reply to the message, `mute` no reply to the message, `deaf`
    no reply to RCPT, `slow` a reply after 0.3 seconds; `permit` 550 to RCPT and yet 354 to DATA.
    """

    def __init__(
        self,
        certificate_file: Path,
        key_file: Path,
        *,
        abilities: tuple[str, ...] = ("PIPELINING", "AUTH PLAIN LOGIN"),
        starttls: bool = True,
        tls_first: bool = False,
        greeting: str = "220 mail.example ESMTP",
        mails_per_connection: int = 1000,
        injects: bool = False,
    ) -> None:
        self.mails: list[Mail] = []
        self.said: list[tuple[int, str]] = []
        self.connections = 0
        self.most_at_once = 0
        self.abilities = abilities
        self.starttls, self.tls_first, self.greeting, self.injects = starttls, tls_first, greeting, injects
        self.mails_per_connection = mails_per_connection
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate_file, key_file)
        self.lock = threading.Lock()
        self._at_once = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp{'s' if self.tls_first else ''}://127.0.0.1:{self._listener.getsockname()[1]}"

    def commands(self, connection: int = 0) -> list[str]:
        """The verbs that were said, on one connection or on all."""
        return [line.split()[0] for number, line in self.said if connection in {0, number}]

    def hang_up(self) -> None:
        """End every connection, as a server does with those that nobody uses."""
        for each in self._sockets:
            with suppress(OSError):  # it has ended
                each.shutdown(socket.SHUT_RDWR)

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
            with self.lock:
                self.connections += 1
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
            threading.Thread(target=self._serve, args=(plain, self.connections), daemon=True).start()

    def _serve(self, plain: socket.socket, number: int) -> None:
        try:
            if self.tls_first:
                plain = self.tls.wrap_socket(plain, server_side=True)
                self._sockets.append(plain)
            _Session(self, plain, number).run()
        except (OSError, ValueError):
            pass  # the client went away, or did not like the certificate
        finally:
            with self.lock:
                self._at_once -= 1


class _Over(Exception):
    pass


class _Session:
    def __init__(self, server: MailServer, sock: socket.socket, number: int) -> None:
        self._server, self._socket, self._number = server, sock, number
        self._stream: BinaryIO = sock.makefile("rb")
        self._is_safe = server.tls_first
        self._sender, self._recipient, self._refused = "", "", False
        self._taken = 0

    def run(self) -> None:
        self._say(self._server.greeting)
        try:
            while line := self._stream.readline():
                said = line.decode().rstrip("\r\n")
                with self._server.lock:
                    self._server.said.append((self._number, said))
                getattr(self, "_" + said.split()[0].lower().rstrip(":"))(said)
        except _Over:
            pass
        finally:
            self._stream.close()
            self._socket.close()

    def _say(self, *lines: str) -> None:
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def _ehlo(self, _said: str) -> None:
        offered = [*self._server.abilities] if self._is_safe else []
        if self._server.starttls and not self._is_safe:
            offered.append("STARTTLS")
        lines = ["mail.example", *offered]
        self._say(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")

    def _starttls(self, _said: str) -> None:
        self._say("220 go ahead", *(["250 mail.example"] if self._server.injects else []))
        self._socket = self._server.tls.wrap_socket(self._socket, server_side=True)
        self._server._sockets.append(self._socket)
        self._stream = self._socket.makefile("rb")
        self._is_safe = True

    def _auth(self, said: str) -> None:
        _, mechanism, *first = said.split()
        if mechanism == "PLAIN":
            given = base64.b64decode(first[0]).decode().split("\0")[1:]
        else:
            given = []
            for prompt in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"):
                self._say(f"334 {prompt}")
                given.append(base64.b64decode(self._stream.readline()).decode())
        if not self._is_safe:
            self._say("538 5.7.11 not without TLS")
        elif given == [USER, PASSWORD]:
            self._say("235 2.7.0 welcome")
        else:
            self._say("535 5.7.8 no such user, or not this password")

    def _mail(self, said: str) -> None:
        if self._taken >= self._server.mails_per_connection:
            self._say("421 4.7.0 too many mails on this connection")
            raise _Over
        if self._sender:
            self._say("503 5.5.1 nested MAIL command")
            return
        self._sender, self._recipient, self._refused = said.partition("<")[2].partition(">")[0], "", False
        self._say("250 2.1.0 sender ok")

    def _rset(self, _said: str) -> None:
        self._sender = ""
        self._say("250 2.0.0 reset")

    def _rcpt(self, said: str) -> None:
        self._recipient = said.partition("<")[2].partition(">")[0]
        replies = {
            "dead": "550 5.1.1 <dead@people.example>: no such mailbox",
            "permit": "550 5.1.1 no such mailbox",
            "later": "451 4.7.1 greylisted",
            "full": "421 4.3.2 shutting down",
        }
        reply = replies.get(self._fate, "250 2.1.5 recipient ok")
        if self._fate == "deaf":
            time.sleep(30)
        self._refused = not reply.startswith("2")
        self._say(reply)
        if reply.startswith("421"):
            raise _Over

    @property
    def _fate(self) -> str:
        return self._recipient.partition("@")[0]

    def _data(self, _said: str) -> None:
        if self._fate == "hangup":
            raise _Over
        if self._refused and self._fate != "permit":
            self._say("554 5.5.1 no valid recipients")
            return
        self._say("354 go ahead")
        lines: list[bytes] = []
        while (line := self._stream.readline()) != b".\r\n":
            if not line:
                raise _Over
            if self._fate == "halfway" and len(lines) == 10:
                raise _Over
            if self._fate == "toobig" and len(lines) == 10:
                self._say("552 5.3.4 message too big")
                time.sleep(0.5)
                raise _Over
            lines.append(line[1:] if line.startswith(b".") else line)
        self._end_of_message(b"".join(lines))

    def _end_of_message(self, content: bytes) -> None:
        match self._fate:
            case "permit":
                self._say("554 5.5.1 no valid recipients")
                return
            case "spam":
                self._sender = ""
                self._say("554-5.7.1 looks like spam", "554 5.7.1 see https://mail.example/spam")
                return
            case "slow":
                time.sleep(0.3)
            case "mute":
                time.sleep(30)
            case _:
                pass
        with self._server.lock:
            self._server.mails.append(Mail(self._number, self._sender, self._recipient, content))
        self._sender = ""
        self._taken += 1
        if self._fate == "taken":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _Over
        self._say("250 2.0.0 queued as 4F2A1")
