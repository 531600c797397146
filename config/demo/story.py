"""What the demo plays: sample people, one restock notice to them, and what became of it."""

import base64
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.request import Request, urlopen

from rich.console import Console
from rich.table import Table

#: States in which nothing more happens by itself; `sent` is among them, as push services tell nothing later.
_SETTLED: Final = frozenset({"sent", "delivered", "failed", "expired", "cancelled", "suppressed"})

#: States in which a provider has the message, or the person.
_ARRIVED: Final = frozenset({"sent", "delivered"})

RESTOCK: Final[Mapping[str, Any]] = {
    "template": "restock",
    "recipients": ["jimin", "wei", "minsu"],
    "data": {"user_name": "지민", "product_name": "겨울 신발"},
    "urgency": "critical",
}
#: Queue by queue how much must have reached a provider, besides the one that a rule kept back. Android: by FCM, and by
#: JPush and Pushy, for somebody in China.
EXPECTED: Final = {"ios": 1, "android": 3, "web": 1, "sms": 2, "email": 2}


@dataclass(frozen=True, slots=True)
class Ending:
    """One delivery as the API tells it at the end, and how often the sandbox took it."""

    delivery: Mapping[str, Any]
    arrived: int

    @property
    def is_right(self) -> bool:
        """What was sent arrived once; what was suppressed, never, and says why."""
        if self.delivery["state"] == "suppressed":
            return self.arrived == 0 and bool(self.delivery["reason"])
        return self.delivery["state"] in _ARRIVED and self.arrived == 1


@dataclass(frozen=True, slots=True)
class Caller:
    """A product team's program, speaking to the API."""

    url: str
    key: str
    secret: str

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET, or POST with a body; the decoded answer."""
        token = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        request = Request(
            self.url + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=10) as response:
            return json.load(response)


def settled(caller: Caller, notification: str, *, patience: float = 30.0) -> Sequence[Mapping[str, Any]]:
    """The deliveries of a notification with their timelines, once nothing more is to be expected, or time is up."""
    deadline = time.monotonic() + patience
    while True:
        page = caller.ask(f"/v1/notifications/{notification}/deliveries")["results"]
        told = [caller.ask(f"/v1/deliveries/{delivery['id']}") for delivery in page]
        if all(_is_over(delivery) for delivery in told) or time.monotonic() > deadline:
            return told
        time.sleep(0.2)


def _is_over(delivery: Mapping[str, Any]) -> bool:
    """SMS and email are told about by receipts; push is not."""
    if delivery["channel"] in {"sms", "email"} and delivery["state"] == "sent":
        return False
    return delivery["state"] in _SETTLED


def complete(endings: Sequence[Ending]) -> bool:
    """Whether all that should arrive did, and exactly the opted-out one was kept back."""
    by_queue = Counter(ending.delivery["queue"] for ending in endings if ending.delivery["state"] in _ARRIVED)
    spared = [ending for ending in endings if ending.delivery["state"] == "suppressed"]
    return by_queue == EXPECTED and bool(spared) and all(ending.is_right for ending in endings)


def show(endings: Sequence[Ending], console: Console) -> None:
    """Each delivery's timeline."""
    for ending in endings:
        delivery = ending.delivery
        colour = "green" if ending.is_right else "red"
        where = delivery["queue"] or delivery["channel"]
        table = Table(
            title=f"{delivery['recipient']} · {where} · [{colour}]{delivery['state']}[/]",
            title_justify="left",
            box=None,
            show_header=False,
            padding=(0, 2, 0, 0),
        )
        for moment in delivery["timeline"]:
            at = datetime.fromisoformat(moment["at"])
            table.add_row(f"  {at:%H:%M:%S}.{at.microsecond // 1000:03}", moment["what"], moment["detail"])
        console.print(table)
