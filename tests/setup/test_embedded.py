"""The embedded servers: one command, no port, no root, no leftovers."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from config import embedded
from tests.waiting import until

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bongsu-test-"))
    folder.chmod(0o755)
    yield folder / "run"
    embedded.remove(folder / "run")
    shutil.rmtree(folder)


@pytest.fixture
def private_dir(tmp_path: Path) -> Iterator[Path]:
    """A run folder below one that only its owner may enter, as a home folder often is."""
    tmp_path.chmod(0o700)
    yield tmp_path / "run"
    embedded.remove(tmp_path / "run")


def ask_postgres(services: embedded.Services, query: str) -> object:
    with closing(psycopg2.connect(services.database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(query)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster(services: embedded.Services) -> int:
    folder = str(ask_postgres(services, "SHOW data_directory"))
    return int((Path(folder) / "postmaster.pid").read_text().splitlines()[0])


def redis_of(services: embedded.Services) -> redis.Redis:
    return redis.Redis.from_url(services.redis_url, decode_responses=True)


def starter(run_dir: Path) -> subprocess.Popen[bytes]:
    env = {**os.environ, "BONGSU_RUN_DIR": str(run_dir), "DATABASE_URL": "", "REDIS_URL": ""}
    return subprocess.Popen([sys.executable, "-m", "config.embedded", "start"], cwd=CHECKOUT, env=env)


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until(lambda: not runs(pid))


def test_two_starters_at_once_start_one_pair_of_servers_that_outlives_them(run_dir: Path) -> None:
    starters = [starter(run_dir), starter(run_dir)]
    assert [process.wait(60) for process in starters] == [0, 0]
    assert embedded.status(run_dir) == embedded.Status(postgres=True, redis=True)
    before = postmaster(embedded.urls(run_dir))
    assert postmaster(embedded.start(run_dir)) == before


def test_the_addresses_are_known_before_anything_was_started(tmp_path: Path) -> None:
    known = embedded.urls(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert embedded.status(tmp_path / "run") == embedded.Status(postgres=False, redis=False)
    assert known.database_url.startswith("postgresql://bongsu@/bongsu?host=/")
    assert known.redis_url.startswith("unix:///")


def test_no_port_is_opened(run_dir: Path) -> None:
    services = embedded.start(run_dir)
    assert ask_postgres(services, "SHOW listen_addresses") == ""
    assert redis_of(services).config_get("port") == {"port": "0"}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server_encoding", "UTF8"),
        ("synchronous_commit", "on"),
        ("fsync", "on"),
        ("shared_buffers", "256MB"),
        ("max_connections", "100"),
        ("jit", "off"),
        ("shared_preload_libraries", "pg_stat_statements"),
        ("TimeZone", "UTC"),
    ],
)
def test_the_database_is_set_up_as_we_need_it(run_dir: Path, setting: str, value: str) -> None:
    assert ask_postgres(embedded.start(run_dir), f"SHOW {setting}") == value


def test_text_is_compared_alike_on_every_machine(run_dir: Path) -> None:
    query = "SELECT concat(datlocprovider, datlocale) FROM pg_database WHERE datname = 'bongsu'"
    assert ask_postgres(embedded.start(run_dir), query) == "bC.UTF-8"


def test_redis_keeps_nothing_on_disk_and_drops_nothing_from_memory(run_dir: Path) -> None:
    client = redis_of(embedded.start(run_dir))
    assert client.config_get("save") == {"save": ""}
    assert client.config_get("appendonly") == {"appendonly": "no"}
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_rows_outlive_a_killed_server(run_dir: Path) -> None:
    services = embedded.start(run_dir)
    ask_postgres(services, "CREATE TABLE kept AS SELECT 1 AS one")
    kill(postmaster(services))
    until(lambda: not embedded.status(run_dir).postgres)
    assert ask_postgres(embedded.start(run_dir), "SELECT one FROM kept") == 1


def test_a_pid_file_whose_number_another_program_got_does_not_keep_the_server_down(run_dir: Path) -> None:
    services = embedded.start(run_dir)
    pid_file = Path(str(ask_postgres(services, "SHOW data_directory"))) / "postmaster.pid"
    words = pid_file.read_text()
    embedded.stop(run_dir)
    pid_file.write_text("\n".join([str(os.getpid()), *words.splitlines()[1:]]))
    assert ask_postgres(embedded.start(run_dir), "SELECT 1") == 1


def test_a_killed_redis_starts_again(run_dir: Path) -> None:
    client = redis_of(embedded.start(run_dir))
    kill(int(client.info("server")["process_id"]))
    assert embedded.status(run_dir) == embedded.Status(postgres=True, redis=False)
    assert redis_of(embedded.start(run_dir)).ping()


def test_stop_ends_both_and_rows_are_there_at_the_next_start(run_dir: Path) -> None:
    services = embedded.start(run_dir)
    ask_postgres(services, "CREATE TABLE stopped AS SELECT 2 AS two")
    server = postmaster(services)
    embedded.stop(run_dir)
    assert not runs(server)
    assert embedded.status(run_dir) == embedded.Status(postgres=False, redis=False)
    assert ask_postgres(embedded.start(run_dir), "SELECT two FROM stopped") == 2


def test_a_private_folder_stays_private_and_works(private_dir: Path) -> None:
    services = embedded.start(private_dir)
    assert ask_postgres(services, "SELECT 1") == 1
    assert embedded.urls(private_dir) == services
    assert private_dir.parent.stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    run_dir = tmp_path / ("long-" * 20) / ("name-" * 20) / "100%"
    try:
        services = embedded.start(run_dir)
        assert ask_postgres(services, "SELECT 1") == 1
        assert redis_of(services).ping()
    finally:
        embedded.remove(run_dir)


def test_other_servers_are_left_to_those_who_named_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BONGSU_RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/bongsu")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    assert embedded.start_unless_given() is None
    assert not (tmp_path / "run").exists()


def test_a_server_that_cannot_start_says_what_it_said_itself(run_dir: Path) -> None:
    services = embedded.start(run_dir)
    version = Path(str(ask_postgres(services, "SHOW data_directory"))) / "PG_VERSION"
    embedded.stop(run_dir)
    right = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(embedded.ServiceUnavailable, match=r"(?s)version 9.*DATABASE_URL"):
            embedded.start(run_dir)
    finally:
        version.write_text(right)
    assert ask_postgres(embedded.start(run_dir), "SELECT 1") == 1
