"""All parts on one machine, beside a sandbox that stands for every provider."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import django
from django.core.management import call_command
from rich.console import Console

from config import embedded
from config.supervisor import Command, Supervisor, Watch, procfile
from config.supervisor.__main__ import environment, free_port

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
#: Seconds within which every part must answer.
_PATIENCE: Final = 60.0


class StageFailed(Exception):
    """A part did not come up; the message says which, and where its own words are."""


class Stage:
    """The sandbox and every process of the Procfile. Their logs go to `.run/logs/`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._run_dir = embedded.run_dir()
        self._outside: Supervisor | None = None
        self._platform: Supervisor | None = None
        self.url = ""
        self.sandbox: dict[str, Any] = {}

    def set(self, *, port: int = 8000) -> None:
        """Migrate, start the sandbox, then the platform beside it, and wait until all of it answers.

        `port` is taken if it is free; 0 is any. Stages that may be set at the same moment ask for any: the web server
        would share a port that both had found free, and answer from either's database.
        """
        self.url = f"http://localhost:{free_port(port)}"
        env = environment(
            {**os.environ, "PUBLIC_URL": self.url, "PORT": self.url.rpartition(":")[2], "LOG_FORMAT": "json"}
        )
        with self._console.status("Starting the sandbox and migrating the database …"):
            self._start_sandbox(env)
            beside = {"WIRE_CA_FILE": self.sandbox["ca_file"], "WIRE_PRIVATE_HOSTS": "localhost"}
            os.environ.update(beside)
            env.update(beside)
            django.setup()
            call_command("migrate", verbosity=0)
        with self._console.status("Starting web, workers and beat …"):
            lines = procfile.chosen(procfile.read(_ROOT / "Procfile"), [])
            self._platform = Supervisor(lines, env, self._logs, watch=Watch(self._run_dir, env))
            self._platform.start()
            self._await("the platform", lambda: _answers(f"{self.url}/readyz"))

    def wait(self) -> None:
        """Until Ctrl-C."""
        if self._platform:
            self._platform.wait()

    def processes(self) -> dict[str, int]:
        """The process ids of the platform, by line of the Procfile."""
        return self._platform.pids() if self._platform else {}

    def accepted_by_sandbox(self, delivery_id: str) -> int:
        """How often a provider took a delivery."""
        try:
            with urlopen(f"{self._plain}/_sandbox/record/{delivery_id}", timeout=5) as response:
                return int(json.load(response)["accepted"])
        except HTTPError as error:
            if error.code == 404:
                return 0
            raise

    def taken_by_sandbox(self) -> dict[str, int]:
        """How often providers took each delivery of which they heard."""
        with urlopen(f"{self._plain}/_sandbox/record", timeout=30) as response:
            return {row["id"]: row["accepted"] for row in map(json.loads, response.read().splitlines())}

    def take_down(self, provider: str) -> None:
        """Let a provider answer 503 to everything. Raises `StageFailed` for one that the sandbox does not know."""
        fault = Request(f"{self._plain}/_sandbox/faults/{provider}", b'{"status": 503}', method="PUT")
        try:
            with urlopen(fault, timeout=5):
                pass
        except HTTPError as error:
            raise StageFailed(f"{provider} cannot be taken down: {error.read().decode()}") from None

    def clear(self) -> None:
        """Stop every process that was started, the embedded servers included."""
        for supervisor in (self._platform, self._outside):
            if supervisor:
                supervisor.stop()
        embedded.stop(self._run_dir)

    @property
    def run_dir(self) -> Path:
        """Where servers, logs and secrets are kept."""
        return self._run_dir

    @property
    def _plain(self) -> str:
        return str(self.sandbox["inbox_url"]).removesuffix("/inbox")

    @property
    def _logs(self) -> Path:
        return self._run_dir / "logs"

    def _start_sandbox(self, env: dict[str, str]) -> None:
        address = self._run_dir / "sandbox.json"
        address.unlink(missing_ok=True)
        options = {"port": 0, "run-dir": self._run_dir, "platform-url": self.url}
        options |= {f"{name}-events-url": f"/v1/webhooks/{name}-live" for name in ("sendgrid", "mandrill")}
        options |= {f"{name}-inbound-url": f"/v1/webhooks/{name}-live/inbound" for name in ("twilio", "vonage")}
        command = " ".join(
            [sys.executable, "-m sandbox --doors", *(f"--{name} {value}" for name, value in options.items())]
        )
        self._outside = Supervisor({"sandbox": Command(command)}, env, self._logs)
        self._outside.start()
        self._await("the sandbox", address.exists)
        self.sandbox = json.loads(address.read_text())

    def _await(self, part: str, is_up: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not is_up():
            if time.monotonic() > deadline:
                raise StageFailed(f"{part} did not come up within {_PATIENCE:.0f} seconds; see {self._logs}.")
            time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
