"""How the demo speaks to the API, and what became of the deliveries: told one by one, in the order of events."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from config.demo.stage import StageFailed

#: States in which nothing more happens by itself soon; `sent` is among them, as push services tell nothing later.
_SETTLED: Final = frozenset({"sent", "delivered", "failed", "expired", "cancelled", "suppressed", "scheduled"})
#: States in which a provider has the message, or the person.
ARRIVED: Final = frozenset({"sent", "delivered"})
#: States in which a rule keeps a message back.
KEPT_BACK: Final = frozenset({"suppressed", "scheduled"})


@dataclass(frozen=True, slots=True)
class Ending:
    """One delivery as the API tells it at the end, and how often the sandbox took it."""

    delivery: Mapping[str, Any]
    arrived: int

    @property
    def is_right(self) -> bool:
        """What was sent arrived once; what was kept back, never, and says why."""
        if self.delivery["state"] in KEPT_BACK:
            return self.arrived == 0 and bool(self.delivery["reason"] or self.told("held"))
        return self.delivery["state"] in ARRIVED and self.arrived == 1

    @property
    def where(self) -> str:
        """The queue, or the channel of what never came to one."""
        return str(self.delivery["queue"] or self.delivery["channel"])

    def told(self, what: str) -> str:
        """What the timeline says of an event; empty where there was none."""
        return next((str(moment["detail"]) for moment in self.delivery["timeline"] if moment["what"] == what), "")


@dataclass(frozen=True, slots=True)
class Caller:
    """A product team's program, speaking to the API."""

    url: str
    key: str
    secret: str

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET, or POST with a body; the decoded answer. Raises `StageFailed` with the API's own words of refusal."""
        token = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        request = Request(
            self.url + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=10) as response:
                return json.load(response)
        except HTTPError as error:
            raise StageFailed(f"{self.url}{path} answers {error.code}: {error.read().decode()}") from None


def settled(
    caller: Caller, notifications: Sequence[str], deliveries: int, *, patience: float = 30.0
) -> Sequence[Mapping[str, Any]]:
    """The deliveries of some notifications with their timelines, once there are so many of which nothing more is to
    be expected, or time is up."""
    deadline = time.monotonic() + patience
    while True:
        pages = [caller.ask(f"/v1/notifications/{one}/deliveries")["results"] for one in notifications]
        told = [caller.ask(f"/v1/deliveries/{delivery['id']}") for page in pages for delivery in page]
        is_over = len(told) >= deliveries and all(_is_over(delivery) for delivery in told)
        if is_over or time.monotonic() > deadline:
            return told
        time.sleep(0.2)


def _is_over(delivery: Mapping[str, Any]) -> bool:
    """SMS and email are told about by receipts; push is not."""
    if delivery["channel"] in {"sms", "email"} and delivery["state"] == "sent":
        return False
    return delivery["state"] in _SETTLED


def show(endings: Sequence[Ending], console: Console) -> None:
    """Each delivery's timeline."""
    for ending in endings:
        delivery = ending.delivery
        colour = "green" if ending.is_right else "red"
        table = Table(
            title=f"{delivery['recipient']} · {ending.where} · [{colour}]{delivery['state']}[/]",
            title_justify="left",
            box=None,
            show_header=False,
            padding=(0, 2, 0, 0),
        )
        for moment in delivery["timeline"]:
            at = datetime.fromisoformat(moment["at"])
            table.add_row(f"  {at:%H:%M:%S}.{at.microsecond // 1000:03}", moment["what"], escape(str(moment["detail"])))
        console.print(table)
