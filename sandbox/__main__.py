"""`python -m sandbox --port 0 --run-dir .run`: starts the sandbox and stays."""

import argparse
import asyncio
import gc
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP2Settings
from granian.log import LogLevels
from granian.server.embed import Server

from sandbox import certificates
from sandbox.certificates import Certificates
from sandbox.files import write_private
from sandbox.keys import Keys
from sandbox.receipts import Settings
from sandbox.server import Sandbox

_HOST: Final = "127.0.0.1"
#: Says, as long as it exists, that a sandbox accepts connections, and where.
_STATE: Final = "sandbox.json"
#: Outlives the sandbox: the ports it had.
_PORTS: Final = "sandbox/ports.json"
#: Providers that have front doors.
_DOORS: Final = ("apns", "fcm")
#: Seconds in which a port must accept connections.
_PATIENCE: Final = 15.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the sandbox listens.

    TLS for providers, plain HTTP for the inbox in a browser that does not know our CA, and for mail a port that begins
    TLS by STARTTLS and one that is TLS alone.
    `doors` are the ports of those providers that have a front door of their own.
    """

    tls: int
    plain: int
    smtp: int = 0
    smtps: int = 0
    doors: dict[str, int] = field(default_factory=dict)

    @property
    def door_urls(self) -> dict[str, str]:
        """The address of each door."""
        return {name: f"https://localhost:{port}" for name, port in self.doors.items()}


def main() -> int:
    """Read the command line and serve; the exit status."""
    asked = _parser().parse_args()
    folder: Path = asked.run_dir
    try:
        # A file left by a sandbox that was killed must not pass for news of this one.
        (folder / _STATE).unlink(missing_ok=True)
        wanted = Ports(asked.port, asked.http_port, asked.smtp_port, asked.smtps_port)
        ports = _choose(folder / _PORTS, wanted, _DOORS if asked.doors else ())
    except OSError as error:
        print(
            f"sandbox: cannot listen on {_HOST}: {error}. Choose another port: --help.",
            file=sys.stderr,
        )
        return 1
    settings = Settings(
        platform_url=asked.platform_url.rstrip("/"),
        sendgrid_events_url=asked.sendgrid_events_url,
        mandrill_events_url=asked.mandrill_events_url,
        twilio_inbound_url=asked.twilio_inbound_url,
        vonage_inbound_url=asked.vonage_inbound_url,
    )
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    # it shares its cores with what it stands beside, and uvloop takes a quarter less of them
    uvloop.run(_serve(folder, ports, settings, asked.keep))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="APNs, FCM, Web Push, JPush, Pushy, Twilio, Vonage, SendGrid, Mandrill and a mail server in a box.",
    )
    parser.add_argument("--port", type=int, default=0, help="HTTPS port; 0: the last one used, else any that is free")
    parser.add_argument("--http-port", type=int, default=0, help="plain HTTP port of the inbox page; 0 likewise")
    parser.add_argument("--smtp-port", type=int, default=0, help="port for mail, with STARTTLS; 0 likewise")
    parser.add_argument("--smtps-port", type=int, default=0, help="port for mail, with TLS from the start; 0 likewise")
    parser.add_argument("--run-dir", type=Path, default=Path(".run"), help="folder of certificates, keys, sandbox.json")
    parser.add_argument("--platform-url", default="", help="where the platform is, as http://localhost:8000")
    parser.add_argument("--sendgrid-events-url", default="", help="where SendGrid's events go: whole, or a path there")
    parser.add_argument("--mandrill-events-url", default="", help="where Mandrill's events go, likewise")
    parser.add_argument("--twilio-inbound-url", default="", help="where Twilio tells what people answer, likewise")
    parser.add_argument("--vonage-inbound-url", default="", help="where Vonage tells it, likewise")
    parser.add_argument("--doors", action="store_true", help="front doors as strict as APNs' and FCM's, on own ports")
    parser.add_argument("--keep", type=int, default=5000, help="attempts whose bodies are kept")
    return parser


async def _serve(folder: Path, ports: Ports, settings: Settings, keep: int) -> None:
    url = f"https://localhost:{ports.tls}"
    files = certificates.ensure(folder / "sandbox")
    keys = Keys.ensure(folder / "sandbox" / "keys.json")
    credentials = keys.credentials(url, f"smtp://localhost:{ports.smtp}", ports.door_urls)
    write_private(folder / "sandbox" / "credentials.json", msgspec.json.format(msgspec.json.encode(credentials)))
    sandbox = Sandbox(keys, [url, f"https://{_HOST}:{ports.tls}"], settings, keep=keep)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    servers = [_tls_server(sandbox, ports.tls, files), _plain_server(sandbox, ports.plain)]
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    receipts = asyncio.create_task(sandbox.receipts.run())
    if ports.doors:
        await _open_doors(sandbox, ports.doors, files)
    sandbox.mail.tls.load_cert_chain(files.server, files.key)
    await sandbox.mail.listen(_HOST, ports.smtp, ports.smtps)
    await _until_accepting(ports, files.authority)
    _announce(folder, ports, files)
    await stop.wait()
    (folder / _STATE).unlink(missing_ok=True)
    receipts.cancel()
    await sandbox.mail.close()
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call] # granian's
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)


async def _open_doors(sandbox: Sandbox, ports: Mapping[str, int], files: Certificates) -> None:
    from sandbox import doors, within  # noqa: PLC0415 - h2 is needed for doors alone

    for name, port in ports.items():
        door = doors.Door({"apns": doors.APNS, "fcm": doors.FCM}[name], within.Inside(sandbox, name).ask)
        await door.listen(_HOST, port, files.server, files.key)
        sandbox.doors[name] = door


def _tls_server(sandbox: Sandbox, port: int, files: Certificates) -> Server:
    return Server(
        sandbox,
        address=_HOST,
        port=port,
        interface=Interfaces.RSGI,
        websockets=False,
        log_level=LogLevels.error,
        backlog=1024,
        backpressure=65_536,
        http2_settings=HTTP2Settings(max_concurrent_streams=1000),
        ssl_cert=files.server,
        ssl_key=files.key,
        ssl_protocol_min=SSLProtocols.tls12,
    )


def _plain_server(sandbox: Sandbox, port: int) -> Server:
    return Server(
        sandbox,
        address=_HOST,
        port=port,
        interface=Interfaces.RSGI,
        websockets=False,
        log_level=LogLevels.error,
    )


def _choose(remembered: Path, asked: Ports, doors: Iterable[str]) -> Ports:
    """The ports to listen on; raises `OSError` if one that was asked for is taken.

    Those of the last start are preferred, because the platform's accounts name them.
    """
    last = Ports(0, 0)
    with suppress(OSError, msgspec.DecodeError):
        last = msgspec.json.decode(remembered.read_bytes(), type=Ports)
    chosen = {name: _port(0, last.doors.get(name, 0)) for name in doors}
    ports = Ports(
        _port(asked.tls, last.tls),
        _port(asked.plain, last.plain),
        _port(asked.smtp, last.smtp),
        _port(asked.smtps, last.smtps),
        chosen,
    )
    write_private(remembered, msgspec.json.encode(replace(ports, doors=last.doors | chosen)))
    return ports


def _port(asked: int, last: int) -> int:
    if asked:
        return _free(asked)
    with suppress(OSError):
        return _free(last)
    return _free(0)


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((_HOST, port))
        return int(probe.getsockname()[1])


async def _until_accepting(ports: Ports, authority: Path) -> None:
    trust = ssl.create_default_context(cafile=str(authority))
    async with asyncio.timeout(_PATIENCE):
        for port, context in ((ports.tls, trust), (ports.plain, None)):
            while True:
                try:
                    _, writer = await asyncio.open_connection(_HOST, port, ssl=context)
                except ConnectionError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                break


def _announce(folder: Path, ports: Ports, files: Certificates) -> None:
    """Tell programs, by file, and people that the sandbox is there."""
    inbox = f"http://localhost:{ports.plain}/inbox"
    found = {
        "url": f"https://localhost:{ports.tls}",
        "ca_file": str(files.authority.resolve()),
        "credentials_file": str((files.authority.parent / "credentials.json").resolve()),
        "inbox_url": inbox,
        "doors": ports.door_urls,
        "smtp_url": f"smtp://localhost:{ports.smtp}",
        "smtps_url": f"smtps://localhost:{ports.smtps}",
        "port": ports.tls,
        "http_port": ports.plain,
        "smtp_port": ports.smtp,
        "smtps_port": ports.smtps,
        "pid": os.getpid(),
    }
    write_private(folder / _STATE, msgspec.json.format(msgspec.json.encode(found)))
    print(f"sandbox: providers at {found['url']}, mail at {found['smtp_url']}, inbox page at {inbox}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
