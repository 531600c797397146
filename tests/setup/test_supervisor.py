"""The supervisor: everything runs, everything comes back, nothing stays behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from config.supervisor import Command, Supervisor, procfile
from config.supervisor.__main__ import environment, free_port
from tests.waiting import until

CHECKOUT = Path(__file__).resolve().parents[2]
IGNORES_SIGTERM = Command("sh -c \"trap '' TERM; echo ready; while :; do sleep 1; done\"")
#: A parent that has a child; both would sleep for an hour.
FAMILY = Command("sh -c 'sleep 3600 & sleep 3600'")

Run = Callable[[Mapping[str, Command]], Supervisor]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Start a supervisor whose processes write into `tmp_path`; it is stopped in the end."""
    started: list[Supervisor] = []

    def start(lines: Mapping[str, Command]) -> Supervisor:
        supervisor = Supervisor(lines, os.environ, tmp_path, grace=2)
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def family_of(pid: int, *, size: int) -> list[psutil.Process]:
    """A process and all below it; nothing until there are `size` of them."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    return family if len(family) >= size else []


def said(log: Path, words: str) -> bool:
    return log.exists() and words in log.read_text()


def gone(processes: list[psutil.Process]) -> bool:
    return not any(lives(process) for process in processes)


def lives(process: psutil.Process) -> bool:
    """Whether it runs; it may end between two questions."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_process_is_started_again(run: Run) -> None:
    supervisor = run({"sleeper": Command("sleep 3600")})
    first = until(supervisor.pids)["sleeper"]
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.pids().get("sleeper", first) != first)


def test_the_end_of_one_process_leaves_the_others_alone(run: Run) -> None:
    supervisor = run({"sleeper": Command("sleep 3600"), "mayfly": Command("true")})
    first = until(lambda: supervisor.pids().get("sleeper"))
    until(lambda: "mayfly" not in supervisor.pids())
    assert supervisor.pids()["sleeper"] == first


def test_a_restarted_process_comes_back_at_once(run: Run, tmp_path: Path) -> None:
    supervisor = run({"sleeper": Command("sleep 3600")})
    first = until(supervisor.pids)["sleeper"]
    supervisor.restart("sleeper")
    until(lambda: supervisor.pids().get("sleeper", first) != first)
    assert said(tmp_path / "sleeper.log", "starting again\n")


def test_children_of_a_killed_process_do_not_outlive_it(run: Run) -> None:
    supervisor = run({"family": FAMILY})
    parent = until(supervisor.pids)["family"]
    family = until(lambda: family_of(parent, size=3))
    os.kill(parent, signal.SIGKILL)
    until(lambda: gone(family))


def test_stop_ends_every_process_and_its_children(run: Run) -> None:
    supervisor = run({"family": FAMILY, "sleeper": Command("sleep 3600")})
    family = until(lambda: family_of(supervisor.pids()["family"], size=3))
    sleeper = family_of(supervisor.pids()["sleeper"], size=1)
    supervisor.stop()
    assert gone([*family, *sleeper])
    assert supervisor.pids() == {}
    assert supervisor.wait(timeout=0)


def test_a_process_that_will_not_end_is_killed(run: Run, tmp_path: Path) -> None:
    supervisor = run({"stubborn": IGNORES_SIGTERM})
    until(lambda: said(tmp_path / "stubborn.log", "ready"))
    process = psutil.Process(supervisor.pids()["stubborn"])
    supervisor.stop()
    assert gone([process])


def test_a_killed_supervisor_leaves_no_process_behind() -> None:
    script = f"""
import os
from config.supervisor import Command, Supervisor
Supervisor({{"family": Command({FAMILY.line!r})}}, os.environ).start()
input()
"""
    supervisor = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdin=subprocess.PIPE)
    below = until(lambda: family_of(supervisor.pid, size=5))[1:]
    supervisor.kill()
    supervisor.communicate()
    until(lambda: gone(below))


def test_each_line_on_the_screen_begins_with_the_name_of_its_process(capsys: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor(
        {"a": Command("sh -c 'echo one; echo two >&2; sleep 3600'"), "long": Command("sleep 3600")}, {}
    )
    supervisor.start()
    screen = ""

    def both_were_said() -> bool:
        nonlocal screen
        screen += capsys.readouterr().out
        return "two" in screen

    until(both_were_said)
    supervisor.stop()
    assert screen.splitlines()[:2] == ["a    | one", "a    | two"]


def test_a_command_sees_its_environment(run: Run, tmp_path: Path) -> None:
    run({"teller": Command("sh -c 'echo $COLOUR ${PORT:-none}; sleep 3600'", {"COLOUR": "red"})})
    until(lambda: said(tmp_path / "teller.log", "red none\n"))


def test_a_procfile_names_commands(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("# comment\n\nweb:  serve --port ${PORT:-8000}\nios: work\n")
    assert procfile.read(tmp_path / "Procfile") == {"web": "serve --port ${PORT:-8000}", "ios": "work"}


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: serve\nno command here\n")
    with pytest.raises(ValueError, match="line 2: expected `name: command`"):
        procfile.read(tmp_path / "Procfile")


@pytest.mark.parametrize(
    ("wishes", "names"),
    [
        ([], ["web", "ios"]),
        (["ios"], ["ios"]),
        (["ios=2", "web"], ["ios.1", "ios.2", "web"]),
        (["ios=0", "web"], ["web"]),
    ],
)
def test_a_wish_says_which_processes_and_how_many(wishes: list[str], names: list[str]) -> None:
    assert list(procfile.chosen({"web": "serve", "ios": "work"}, wishes)) == names


def test_twins_know_which_of_them_they_are() -> None:
    lines = procfile.chosen({"ios": "work"}, ["ios=2"])
    assert [line.env["PROCESS"] for line in lines.values()] == ["1", "2"]


def test_a_wish_for_an_unknown_process_names_the_known_ones() -> None:
    with pytest.raises(procfile.UnknownProcess, match="no process 'iso'; there are web, ios"):
        procfile.chosen({"web": "serve", "ios": "work"}, ["iso"])


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert free_port(taken) not in {0, taken}


def test_processes_find_the_programs_of_this_python_and_their_public_address() -> None:
    env = environment({"PATH": "/usr/bin", "PORT": "8123"})
    assert env["PATH"] == f"{Path(sys.executable).parent}:/usr/bin"
    assert env["PUBLIC_URL"] == "http://localhost:8123"
