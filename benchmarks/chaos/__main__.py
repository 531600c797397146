"""`python -m benchmarks.chaos`: what a fault in the middle of a campaign loses and doubles.

For each fault a campaign, hit when a fifth of it is sent; then the providers' record is compared with the log.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import inf
from typing import Final

import psycopg2
from rich.console import Console
from rich.table import Table

from benchmarks import people
from benchmarks.chaos.faults import FAULTS, Broken, Fault, Unfit
from benchmarks.chaos.loads import MAILS, PUSHES, SHARE, TEXTS
from benchmarks.chaos.rabbitmq import rabbitmq
from benchmarks.stage import ROOT, Stage, Void, stage

RESULTS: Final = ROOT / "benchmarks" / "results" / "chaos.json"


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a run is. `answer` and `lease` are the platform's settings, in seconds, `outage` the longest outage."""

    deliveries: int
    answer: float
    lease: int
    outage: float = inf


#: As in production, but for the lease, which is half as long.
_FULL: Final = Scale(50_000, answer=10, lease=30)
#: What waits for a lease is soon over, in the same proportion to what a provider may take.
_QUICK: Final = Scale(10_000, answer=3, lease=9, outage=2)
#: Requests that a push worker may have under way or unrecorded: what can be doubled where a category resends.
_IN_FLIGHT: Final = 600 + 250
_RECOVERY: Final = 60.0
#: Seconds after which a run that does not end is given up.
_ENDURANCE: Final = 90.0


@dataclass(frozen=True, slots=True)
class Row:
    """What one fault came to. `recovered_in_s` is from the end of the fault until nothing was left to be done."""

    fault: str
    category: str
    accepted: int
    sent: int
    lost: int
    duplicated: int
    uncertain: int
    recovered_in_s: float
    #: What else was promised and not kept, in words.
    broken: str = ""

    def is_kept(self, fault: Fault) -> bool:
        """Whether the promises held."""
        resends = fault.doubts and self.category == "resend"
        allowed = max(_IN_FLIGHT * fault.struck, int(fault.share * self.accepted)) if resends else 0
        return not self.broken and self.lost == 0 and self.duplicated <= allowed and self.recovered_in_s <= _RECOVERY


def main() -> int:
    """Every fault, or those asked for; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{_QUICK.deliveries:,} deliveries a fault, not {_FULL.deliveries:,}; a part of the faults",
    )
    parser.add_argument("--only", nargs="+", choices=FAULTS, metavar="NAME", help=f"some of {', '.join(FAULTS)}")
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis", help="what carries the hints")
    parser.add_argument("--no-file", action="store_true", help=f"do not write {RESULTS.name}")
    asked = parser.parse_args()
    console = Console()
    scale = _QUICK if asked.quick else _FULL
    rows: list[tuple[Fault, Row]] = []
    with _broker(asked.broker) as broker:
        # quick: no faults that need a platform of their own, and doubt is tried where it must double nothing
        is_brief = asked.quick and not asked.only
        chosen = [(name, FAULTS[name]) for name in asked.only or FAULTS if not (is_brief and FAULTS[name].scene)]
        shared = [(name, fault) for name, fault in chosen if not fault.scene]
        unfit = False
        if shared:
            with _peopled(scale, **broker) as running:
                for name, fault in shared:
                    categories = fault.categories[-1:] if is_brief else fault.categories
                    rows += _rows(running, name, scale, console, categories)
        for name, fault in chosen:
            if fault.scene:
                for category in fault.categories:
                    try:
                        with fault.scene() as settings, _peopled(scale, **broker, **settings) as running:
                            rows += _rows(running, name, scale, console, [category])
                    except Unfit as error:
                        unfit = True
                        console.print(f"[red]✗[/] {fault.text}: not tried. {error}")
    _show(rows, console)
    if not asked.no_file:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps([asdict(row) for _, row in rows], indent=2) + "\n")
    return 0 if all(row.is_kept(fault) for fault, row in rows) and not unfit else 1


@contextmanager
def _broker(name: str) -> Iterator[Mapping[str, str]]:
    """The environment that names the broker."""
    if name == "redis":
        yield {}
        return
    with rabbitmq() as url:
        yield {"CELERY_BROKER_URL": url}


@contextmanager
def _peopled(scale: Scale, **settings: str) -> Iterator[Stage]:
    """A platform that knows everybody whom the loads reach."""
    size = scale.deliveries
    with stage(LEASE_SECONDS=str(scale.lease), PROVIDER_SECONDS=str(scale.answer), **settings) as running:
        people.bring_in(running, PUSHES, size, address="device")
        people.bring_in(running, TEXTS, int(size * SHARE), address="phone")
        people.bring_in(running, MAILS, int(size * SHARE), address="email")
        yield running


def _rows(
    running: Stage, name: str, scale: Scale, console: Console, categories: Sequence[str]
) -> list[tuple[Fault, Row]]:
    """The rows of one fault: one for each of these ways in which a category settles doubt."""
    fault, rows = FAULTS[name], []
    for each in categories:
        with console.status(f"{fault.text} (the category says {each})"):
            row = _struck(running, name, scale, each)
            if row.broken and fault.is_measured:
                row = _struck(running, name, scale, each)
        rows.append((fault, row))
        mark = "[green]✓[/]" if row.is_kept(fault) else "[red]✗[/]"
        console.print(f"{mark} {fault.text}, {each}{f': {row.broken}' if row.broken else ''}")
    return rows


def _struck(running: Stage, name: str, scale: Scale, category: str) -> Row:
    """One campaign with the fault in its middle, in a category that resends what is in doubt, or holds it."""
    fault = FAULTS[name]
    size = int(scale.deliveries * fault.people)
    running.rows("UPDATE accounts_category SET in_doubt = %s", category)
    # on a platform of its own a fault may have set the clock back: all that there is, is its own
    since = _FIRST if fault.scene else running.now()
    running.begin()
    accepted = fault.load(running, size)
    _until(lambda: _count(running, since, ["sent"]) >= size // 5, 60)
    broken = ""
    try:
        fault.strike(running, min(fault.outage, scale.outage))
    except Broken as promise:
        broken = str(promise)
    ended_at = time.monotonic()
    accepted()
    # a fault may outlast the planning: until then not all of the campaign is in the log
    _until(lambda: _count(running, since, None) >= size and not _open(running, since), _ENDURANCE)
    recovered = time.monotonic() - ended_at
    try:
        fault.holds(running)
    except Broken as promise:
        broken = str(promise)
    taken = running.sent()
    arrived = {delivery for delivery, seen in taken.items() if seen.accepted}
    listed = {row[0] for row in running.rows(_IDS, since, ["uncertain", "failed"])}
    everybody = {row[0] for row in running.rows(_ALL, since)}
    return Row(
        fault=name,
        category=category,
        accepted=len(everybody),
        sent=_count(running, since, ["sent", "delivered"]),
        lost=max(0, size - len(everybody)) + len(everybody - arrived - listed),
        duplicated=max(0, len(everybody) - size)
        + sum(seen.accepted - 1 for seen in taken.values() if seen.accepted > 1),
        uncertain=_count(running, since, ["uncertain"]),
        recovered_in_s=round(recovered, 1),
        broken=broken,
    )


_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_IDS: Final = "SELECT id::text FROM notifications_delivery WHERE id > %s AND state = ANY(%s)"
_ALL: Final = "SELECT id::text FROM notifications_delivery WHERE id > %s"
_UNDER_WAY: Final = ["scheduled", "queued", "sending", "retrying"]


def _count(running: Stage, since: str, states: list[str] | None) -> int:
    if states is None:
        found = running.rows("SELECT count(*) FROM notifications_delivery WHERE id > %s", since)
    else:
        found = running.rows(
            "SELECT count(*) FROM notifications_delivery WHERE id > %s AND state = ANY(%s)", since, states
        )
    return int(found[0][0])


def _open(running: Stage, since: str) -> int:
    return _count(running, since, _UNDER_WAY)


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _answers(holds):
        if time.monotonic() > deadline:
            raise Void(f"not so after {seconds:.0f} s")
        time.sleep(0.2)


def _answers(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except psycopg2.OperationalError:  # the server is just coming up again
        return False


def _show(rows: list[tuple[Fault, Row]], console: Console) -> None:
    table = Table(
        "fault", "category", "accepted", "sent", "lost", "doubled", "uncertain", "recovered in", title="Chaos"
    )
    for fault, row in rows:
        table.add_row(
            fault.text, row.category, f"{row.accepted:,}", f"{row.sent:,}", str(row.lost), str(row.duplicated),
            str(row.uncertain), f"{row.recovered_in_s} s",
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
