"""The platform as its users meet it, and the outside world beside it: started here, spoken to over HTTP and SQL."""

import base64
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg2

ROOT: Final = Path(__file__).resolve().parent.parent
#: Milliseconds that every provider takes to answer.
LATENCY_MS: Final = 50
_PATIENCE: Final = 120.0
_OPEN: Final = ["scheduled", "queued", "sending", "retrying"]


class Void(Exception):
    """The run proves nothing: something was lost, doubled, or did not end."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a provider has of one delivery: how often it took it, and when it saw it first (epoch seconds)."""

    accepted: int
    first_at: float


class Stage:
    """A running platform."""

    def __init__(self, run_dir: Path, env: dict[str, str], about: dict[str, Any]) -> None:
        self.run_dir = run_dir
        self.about = about
        self.env = env | {"DATABASE_URL": about["database_url"], "REDIS_URL": about["redis_url"]}
        self.database = psycopg2.connect(about["database_url"])
        self.database.autocommit = True
        token = base64.b64encode(f"{about['key']}:{about['secret']}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def connection(self) -> http.client.HTTPConnection:
        """A connection to the API, to be kept open."""
        parts = urlsplit(self.about["url"])
        return http.client.HTTPConnection(parts.hostname or "localhost", parts.port, timeout=60)

    def post(self, body: object, connection: http.client.HTTPConnection | None = None) -> dict[str, Any]:
        """POST /v1/notifications; the answer, which must be 202."""
        own = connection or self.connection()
        own.request("POST", "/v1/notifications", json.dumps(body).encode(), self.headers)
        answer = own.getresponse()
        text = answer.read()
        if answer.status != 202:
            raise Void(f"POST /v1/notifications answered {answer.status}: {text[:300]!r}")
        told: dict[str, Any] = json.loads(text)
        return told

    def campaign(self, prefix: str, channel: str, urgency: str = "bulk") -> str:
        """One notification to everybody whose external id begins with `prefix`; its id."""
        told = self.post(
            {
                "template": "restock",
                "audience": {"external_id_prefix": prefix},
                "data": {"user_name": "지민", "product_name": "겨울 신발"},
                "channels": [channel],
                "urgency": urgency,
            }
        )
        return str(told["id"])

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self.database.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def manage(self, *arguments: str) -> None:
        """Run a command of manage.py."""
        subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env, check=True, capture_output=True
        )

    def sandbox(self, method: str, path: str, body: object | None = None) -> str:
        """Ask the sandbox's operators' door."""
        plain = self.about["sandbox"]["inbox_url"].removesuffix("/inbox")
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{plain}/_sandbox/{path}", data=data, method=method), timeout=120) as response:
            text: str = response.read().decode()
            return text

    def begin(self) -> None:
        """Forget what the providers saw so far, and let them answer slowly."""
        self.sandbox("DELETE", "record")
        for provider in ("apns", "fcm", "twilio", "sendgrid"):
            self.sandbox("PUT", f"faults/{provider}", {"latency_ms": LATENCY_MS})

    def sent(self) -> dict[str, Sent]:
        """What the providers took since `begin`, by delivery."""
        rows = map(json.loads, self.sandbox("GET", "record").splitlines())
        return {row["id"]: Sent(row["accepted"], row["first_at"]) for row in rows}

    def until_done(
        self, expected: int, since: str, *, progress: Callable[[int], None] = lambda _done: None
    ) -> list[tuple[float, int]]:
        """Wait until the log has `expected` deliveries of ids above `since` sent; (epoch seconds, sent) as they grew.

        Raises `Void` when that does not happen.
        """
        series: list[tuple[float, int]] = []
        deadline = time.monotonic() + _PATIENCE + expected / 500
        while True:
            done = self._recorded(since)
            series.append((time.time(), done))
            progress(done)
            if done >= expected:
                return series
            if time.monotonic() > deadline:
                raise Void(f"{done} of {expected} deliveries were sent in time; see {self.run_dir / 'logs'}")
            time.sleep(0.2)

    def check(self, since: str) -> int:
        """Compare the log with the providers' record, delivery by delivery; how many there were. Raises `Void`."""
        found = self.rows(
            "SELECT id::text FROM notifications_delivery WHERE id > %s AND state IN ('sent', 'delivered')", since
        )
        logged = {row[0] for row in found}
        sent = self.sent()
        doubled = [delivery for delivery, seen in sent.items() if seen.accepted > 1]
        taken = {delivery for delivery, seen in sent.items() if seen.accepted}
        if doubled or logged != taken:
            raise Void(
                f"the log and the providers disagree: {len(logged - taken)} lost, {len(doubled)} doubled, "
                f"{len(taken - logged)} sent but not logged"
            )
        return len(taken)

    def now(self) -> str:
        """The smallest id that can be made from now on."""
        milliseconds = int(time.time() * 1000)
        return f"{milliseconds:012x}"[:8] + "-" + f"{milliseconds:012x}"[8:] + "-0000-0000-000000000000"

    def _recorded(self, since: str) -> int:
        # What is still to be done is small and indexed by nothing; what was sent is counted by the day's partition.
        (count,) = self.rows(
            "SELECT count(*) FROM notifications_delivery WHERE id > %s AND state IN ('sent', 'delivered', 'failed')",
            since,
        )[0]
        return int(count)


@contextmanager
def stage() -> Iterator[Stage]:
    """Start everything on servers of its own, and stop it in the end."""
    run_dir = Path(tempfile.mkdtemp(prefix="bongsu-bench-"))
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    env |= {"BONGSU_RUN_DIR": str(run_dir), "LOG_LEVEL": "WARNING"}
    described = run_dir / "platform.json"
    output = (run_dir / "demo.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "config.demo", "--describe", str(described)],
        cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + _PATIENCE
        while not described.exists() or not described.stat().st_size:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Void(f"the platform did not come up:\n{(run_dir / 'demo.log').read_text()}")
            time.sleep(0.1)
        yield Stage(run_dir, env, json.loads(described.read_text()))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
        output.close()
        shutil.rmtree(run_dir, ignore_errors=True)
