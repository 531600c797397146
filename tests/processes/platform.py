"""The whole platform as its users meet it: processes, an API, a database, and a sandbox in place of the providers."""

import base64
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil
import psycopg2
import redis

from config import embedded
from tests.waiting import until

CHECKOUT = Path(__file__).resolve().parents[2]
#: Seconds a platform may take to come up, the making of its database included.
PATIENCE = 90.0
#: States in which something is still to be done.
UNDER_WAY = ["scheduled", "queued", "sending", "retrying"]


@dataclass(frozen=True)
class Platform:
    """A running platform and what is known of it."""

    env: dict[str, str]
    about: dict[str, Any]

    def ask(self, path: str, body: object | None = None) -> Any:
        """GET, or POST with a body; the decoded answer."""
        token = base64.b64encode(f"{self.about['key']}:{self.about['secret']}".encode()).decode()
        request = Request(
            self.about["url"] + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=60) as response:
            return json.load(response)

    def answers(self) -> bool:
        """Whether the web server is there; one that was just started is not at once."""
        try:
            with urlopen(f"{self.about['url']}/healthz", timeout=60):
                return True
        except URLError:
            return False

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT, env=self.env, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with psycopg2.connect(self.about["database_url"]) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def empty_the_broker(self) -> None:
        """Everything that waits in Redis is gone: messages, hints, limits, tokens."""
        with redis.Redis.from_url(self.about["redis_url"]) as client:
            client.flushall()

    def process(self, name: str) -> int:
        """The process id of one line of the Procfile, as it was at the start."""
        return int(self.about["processes"][name])

    def worker(self, line: str) -> int:
        """The process that serves a line of the Procfile just now; 0 where none does."""
        for process in psutil.process_iter(["pid", "cmdline", "environ"]):
            theirs = (process.info["environ"] or {}).get("BONGSU_RUN_DIR") == self.env["BONGSU_RUN_DIR"]
            if theirs and f"{line}.1@%h" in (process.info["cmdline"] or []):
                return int(process.info["pid"])
        return 0

    def sandbox(self, method: str, path: str, body: object | None = None) -> Any:
        """Ask the sandbox's operators' door."""
        plain = self.about["sandbox"]["inbox_url"].removesuffix("/inbox")
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{plain}/_sandbox/{path}", data=data, method=method), timeout=60) as response:
            text = response.read().decode()
        return json.loads(text) if text and not path.startswith("record") else text

    def arrived(self) -> dict[str, int]:
        """How often a provider took each delivery."""
        lines = self.sandbox("GET", "record").splitlines()
        return {row["id"]: row["accepted"] for row in map(json.loads, lines) if row["accepted"]}

    def logged_as_sent(self) -> set[str]:
        """The deliveries that the log says left."""
        return {
            str(row[0])
            for row in self.rows("SELECT id FROM notifications_delivery WHERE state IN ('sent', 'delivered')")
        }

    def unfinished(self) -> int:
        """Deliveries that the log says are still on their way."""
        return int(self.rows("SELECT count(*) FROM notifications_delivery WHERE state = ANY(%s)", UNDER_WAY)[0][0])


@contextmanager
def platform(run_dir: Path, **env: str) -> Iterator[Platform]:
    """Start everything on servers of its own in `run_dir`; stop it in the end."""
    theirs = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    theirs |= {"BONGSU_RUN_DIR": str(run_dir), "COLUMNS": "120", **env}
    described = run_dir / "platform.json"
    command = [sys.executable, "-m", "config.demo", "--describe", str(described)]
    with (run_dir / "demo.log").open("w") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=theirs, stdout=output, stderr=subprocess.STDOUT)
        try:
            until(lambda: described.exists() or process.poll() is not None, seconds=PATIENCE)
            assert process.poll() is None, (run_dir / "demo.log").read_text()
            about = json.loads(described.read_text())
            theirs |= {"DATABASE_URL": about["database_url"], "REDIS_URL": about["redis_url"]}
            yield Platform(theirs, about)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
            embedded.remove(run_dir)


def write_audience(file: Path, *, people: int, devices: int) -> Sequence[str]:
    """A CSV file of `people` with `devices` among them, iPhones and Android phones in turn; their external ids."""
    names = [f"person-{number:06}" for number in range(people)]
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(("external_id", "locale", "country", "platform", "token"))
        for number in range(max(people, devices)):
            platform_, token = ("ios", f"{number:064x}") if number % 2 else ("android", f"token-of-device-{number:08}")
            has_device = number < devices
            writer.writerow(
                (names[number % people], "ko-KR", "KR", platform_ if has_device else "", token if has_device else "")
            )
    return names
