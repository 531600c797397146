"""Where the embedded servers keep their files and sockets, and as which user PostgreSQL runs.

Usually all of it is in the run folder. Two things can forbid that, and then a folder of our own in the temporary
folder stands in: the kernel takes no socket path of more than about 100 bytes; and PostgreSQL, which refuses to run
as root, runs as `nobody` when root starts it, who cannot enter a folder under, say, /root. Permissions of folders that
were there before are never widened.
"""

import hashlib
import json
import os
import pwd
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

#: Linux takes 107 bytes and macOS 103.
LONGEST_SOCKET_PATH: Final = 100
#: The file in the run folder that says where its servers are.
RECORD: Final = "services.json"


class ServiceUnavailable(Exception):
    """An embedded server cannot be started; the message says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Services:
    """The addresses of a PostgreSQL database and of a Redis, in the forms DATABASE_URL and REDIS_URL take."""

    database_url: str
    redis_url: str


@dataclass(frozen=True, slots=True)
class Account:
    """The user PostgreSQL runs as when root starts it."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Places:
    """The folder of the servers' files, the folder of their sockets, and PostgreSQL's user (None: the present one)."""

    home: Path
    sockets: Path
    account: Account | None

    @property
    def postgres(self) -> Path:
        """PostgreSQL's log and, in `data`, its cluster."""
        return self.home / "postgres"

    @property
    def postgres_socket(self) -> Path:
        """The socket of port 5432; a client is told its folder."""
        return self.sockets / "postgres" / ".s.PGSQL.5432"

    @property
    def redis(self) -> Path:
        """Redis' log and pid file."""
        return self.home / "redis"

    @property
    def redis_socket(self) -> Path:
        """The socket of Redis."""
        return self.sockets / "redis" / "redis.sock"

    @property
    def services(self) -> Services:
        """What programs need in order to connect."""
        folder = quote(str(self.postgres_socket.parent), safe="/")
        return Services(
            # The port is part of the socket's name; left out here, a PGPORT in the environment would count.
            database_url=f"postgresql://bongsu@/bongsu?host={folder}&port=5432",
            redis_url=f"unix://{quote(str(self.redis_socket), safe='/')}?db=0",
        )

    def prepare(self) -> None:
        """Make the folders that are missing, each private to the user who runs its server."""
        for folder in {self.home, self.sockets}:
            _make_enterable(folder)
        for folder in {self.postgres, self.postgres_socket.parent}:
            folder.mkdir(mode=0o700, exist_ok=True)
            if self.account:
                os.chown(folder, self.account.uid, self.account.gid)
        for folder in {self.redis, self.redis_socket.parent}:
            folder.mkdir(mode=0o700, exist_ok=True)

    def remove(self) -> None:
        """Delete all files of both servers, which must not run."""
        for folder in {self.home, self.sockets}:
            for kept in ("postgres", "redis"):
                shutil.rmtree(folder / kept, ignore_errors=True)
            for programs in folder.glob("programs-*"):
                shutil.rmtree(programs)
            with suppress(OSError):  # not empty: the run folder keeps more than servers
                folder.rmdir()


def places(run_dir: Path) -> Places:
    """The places of `run_dir`'s servers: where they were last started, or else where they would be."""
    run_dir = run_dir.absolute()
    return _recorded(run_dir) or _chosen(run_dir)


def record(run_dir: Path, found: Places) -> None:
    """Note where the servers are, for programs with another temporary folder or another user."""
    note = {
        "run_dir": str(run_dir.absolute()),
        "home": str(found.home),
        "sockets": str(found.sockets),
        "account": asdict(found.account) if found.account else None,
    }
    draft = run_dir / f"{RECORD}.draft"
    draft.write_text(json.dumps(note, indent=2))
    draft.replace(run_dir / RECORD)


def fallback(run_dir: Path) -> Path:
    """The folder that stands in for `run_dir`, in the temporary folder; its name holds the user and the run folder."""
    digest = hashlib.sha256(os.fsencode(run_dir)).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"bongsu-{os.geteuid()}-{digest}"


def everybody_may_enter(folder: Path) -> bool:
    """Whether any user may walk into `folder`: the permissions of it and of all above it, as far as they exist."""
    existing = (parent for parent in (folder, *folder.parents) if parent.exists())
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in existing)


def _recorded(run_dir: Path) -> Places | None:
    """What `record` noted, unless the checkout was moved since or its home is gone."""
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        note = json.loads((run_dir / RECORD).read_text())
        if note["run_dir"] == str(run_dir) and Path(note["home"]).is_dir():
            account = Account(**note["account"]) if note["account"] else None
            return Places(Path(note["home"]), Path(note["sockets"]), account)
    return None


def _chosen(run_dir: Path) -> Places:
    account = _account()
    home = run_dir if account is None or everybody_may_enter(run_dir) else fallback(run_dir)
    found = Places(home, home, account)
    if len(os.fsencode(found.postgres_socket)) <= LONGEST_SOCKET_PATH:
        return found
    return Places(home, fallback(run_dir), account)


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise ServiceUnavailable(
            "PostgreSQL refuses to run as root, and there is no user `nobody` to run it as. "
            "Run this as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)


def _make_enterable(folder: Path) -> None:
    """Make `folder` if it is missing; refuse one that somebody else put there, in a place where everybody may write."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o711)
    exposed = folder.parent.stat().st_mode & stat.S_IWOTH
    if exposed and (folder.is_symlink() or folder.stat().st_uid != os.geteuid()):
        raise ServiceUnavailable(f"{folder} belongs to another user. Remove it, or set BONGSU_RUN_DIR or TMPDIR.")
