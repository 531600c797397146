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
#: Where the platform's logs of a void run are kept.
VOID_LOGS: Final = ROOT / ".run" / "benchmarks" / "logs"
_PATIENCE: Final = 120.0
#: Seconds between two looks at the providers' counts, which cost next to nothing.
_GLANCE: Final = 0.1
#: Counting the log costs the platform's own server time: at most this part of it.
_SHARE: Final = 0.05
#: Ways to end without being sent.
_UNSENT: Final = ["failed", "expired", "cancelled", "suppressed", "uncertain"]


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
        self.database = _connected(about["database_url"])
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
        try:
            return self._asked(statement, values)
        except psycopg2.Error:  # perhaps the server was started anew; what is wrong for another reason fails again
            self.database = _connected(self.about["database_url"])
            return self._asked(statement, values)

    def _asked(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self.database.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def manage(self, *arguments: str, **settings: str) -> None:
        """Run a command of manage.py, with `settings` in its environment. Raises `Void` with what it said where it
        fails.
        """
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.env | settings, check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise Void(f"manage.py {arguments[0]} ended with {done.returncode}: {done.stderr[-1000:]}")

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
            asked_at = time.monotonic()
            done = self._recorded(since)
            answered_at = time.monotonic()
            series.append((time.time(), done))
            progress(done)
            if done >= expected:
                return series
            if answered_at > deadline:
                raise Void(f"{done} of {expected} deliveries were sent in time; see {VOID_LOGS}")
            self._pause(answered_at + max(2 * _GLANCE, (answered_at - asked_at) / _SHARE), expected)

    def check(self, since: str, expected: int) -> None:
        """Compare the log of ids above `since` with the providers' record, delivery by delivery.

        Raises `Void` unless exactly `expected` deliveries were planned, and each was sent and taken once.
        """
        found = self.rows("SELECT id::text, state FROM notifications_delivery WHERE id > %s", since)
        if len(found) != expected:
            raise Void(f"{len(found)} deliveries were planned where {expected} were asked for")
        self.compare({delivery for delivery, state in found if state in {"sent", "delivered"}})

    def compare(self, logged: set[str]) -> None:
        """Raise `Void` unless the providers took exactly these deliveries since `begin`, each once."""
        sent = self.sent()
        doubled = [delivery for delivery, seen in sent.items() if seen.accepted > 1]
        taken = {delivery for delivery, seen in sent.items() if seen.accepted}
        if doubled or logged != taken:
            raise Void(
                f"the log and the providers disagree: {len(logged - taken)} lost, {len(doubled)} doubled, "
                f"{len(taken - logged)} sent but not logged"
            )

    def accepted(self) -> int:
        """How many messages the providers took since `begin`, repetitions included."""
        counts = json.loads(self.sandbox("GET", "counts"))["providers"]
        return sum(int(tally["accepted"]) for tally in counts.values())

    def empty_log(self) -> None:
        """Throw the notification log away. For when nothing is on its way."""
        deadline = time.monotonic() + _PATIENCE
        while self.rows("SELECT 1 FROM notifications_pendingreceipt LIMIT 1"):
            if time.monotonic() > deadline:
                raise Void("receipts were not applied in time")
            time.sleep(_GLANCE)
        self.rows("TRUNCATE notifications_notification, notifications_delivery, notifications_deliveryevent")

    def now(self) -> str:
        """The smallest id that can be made from now on."""
        milliseconds = int(time.time() * 1000)
        return f"{milliseconds:012x}"[:8] + "-" + f"{milliseconds:012x}"[8:] + "-0000-0000-000000000000"

    def _pause(self, until: float, expected: int) -> None:
        # Once the providers have everything the last recordings are close: then the log is asked again at once.
        while time.monotonic() < until:
            if self.accepted() >= expected:
                time.sleep(_GLANCE / 5)
                return
            time.sleep(_GLANCE)

    def _recorded(self, since: str) -> int:
        sent, unsent = self.rows(
            "SELECT count(*) FILTER (WHERE state IN ('sent', 'delivered')), count(*) FILTER (WHERE state = ANY(%s)) "
            "FROM notifications_delivery WHERE id > %s",
            _UNSENT,
            since,
        )[0]
        if unsent:
            raise Void(f"{unsent} deliveries ended without being sent; see {VOID_LOGS}")
        return int(sent)


def _connected(url: str) -> Any:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection


def _await(process: subprocess.Popen[bytes], described: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not described.exists() or not described.stat().st_size:
        if process.poll() is not None or time.monotonic() > deadline:
            told = described.with_name("demo.log").read_text()
            raise Void(f"the platform did not come up; its logs are in {VOID_LOGS}. It said:\n{told}")
        time.sleep(0.1)


@contextmanager
def stage(**settings: str) -> Iterator[Stage]:
    """Start everything on servers of its own, and stop it in the end. `settings` go into its environment.

    A `TMPDIR` among them is where its files lie.
    """
    run_dir = Path(tempfile.mkdtemp(prefix="bongsu-bench-", dir=settings.get("TMPDIR")))
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    env |= {"BONGSU_RUN_DIR": str(run_dir), "LOG_LEVEL": "WARNING", **settings}
    described = run_dir / "platform.json"
    output = (run_dir / "demo.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "config.demo", "--describe", str(described)],
        cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        _await(process, described)
        yield Stage(run_dir, env, json.loads(described.read_text()))
    except Void:
        logs = run_dir / "logs"
        if logs.exists():
            shutil.copytree(logs, VOID_LOGS, dirs_exist_ok=True)
        raise
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
        output.close()
        # the servers' files may lie elsewhere: gigabytes, after a full log
        subprocess.run([sys.executable, "-m", "config.embedded", "remove"], cwd=ROOT, env=env, check=False)
        shutil.rmtree(run_dir, ignore_errors=True)
