"""The demo's campaign: one offer in two wordings goes to everybody, people read it, a report tells which one won."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from rich.console import Console
from rich.table import Table

from campaigns.models import Campaign
from campaigns.reports import gathering
from config.demo import guests
from config.demo.readers import Readers
from config.demo.story import Caller
from notifications.models import Delivery

HEADLINE: Final = "A campaign tries two wordings, and a report tells which one won"
#: Columns of the report: how the API calls them.
COLUMNS: Final = ("people", "planned", "sent", "delivered", "failed", "opened", "clicked")


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it: the campaign as the API tells it, the verdict in words, and what the others know.

    `taken` is how often providers took each delivery that the log has; `clicks` are those that people made.
    """

    campaign: Mapping[str, Any]
    verdict: Sequence[str]
    taken: Sequence[int]
    clicks: int

    @property
    def flaw(self) -> str:
        """What went wrong; empty where nothing did."""
        run = self.campaign["run"]
        if not run or run["state"] != "finished":
            return f"the run is {run['state'] if run else 'not there'}"
        counts = run["counts"]
        if counts["failed"] or counts["sent"] != counts["planned"]:
            return f"{counts['sent']} of {counts['planned']} were sent, {counts['failed']} failed"
        if astray := [times for times in self.taken if times != 1]:
            return f"{len(astray)} of {len(self.taken)} messages were not taken once"
        if counts["clicked"] != self.clicks:
            return f"{self.clicks} people clicked, and {counts['clicked']} are counted"
        return "" if counts["clicked"] else "nobody clicked"


def played(caller: Caller, readers: Readers, taken: Callable[[], Mapping[str, int]]) -> Came:
    """Write the campaign and start it, as a program would, and wait until it is over and read."""
    request = {
        "name": f"Spring sale, {timezone.now():%Y-%m-%d %H:%M:%S}",
        "segment": guests.EVERYBODY,
        "variants": [{"template": name} for name in guests.WORDINGS],
    }
    before = readers.clicks
    path = f"/v1/campaigns/{caller.ask('/v1/campaigns', request)['id']}"
    caller.ask(f"{path}/start", {})
    told = _watched(caller, path, lambda run: _is_over(run) and readers.are_done and _is_counted(run, readers, before))
    notifications = [arm["notification"] for arm in told["run"]["arms"]]
    rows = Delivery.objects.filter(notification_id__in=notifications).exclude(state="suppressed")
    record = taken()
    report = gathering.of_campaign(Campaign.objects.get(pk=told["id"]), None, timezone.now())
    return Came(
        told,
        report.comparison.sentences,
        [record.get(str(pk), 0) for pk in rows.values_list("pk", flat=True)],
        readers.clicks - before,
    )


def show(came: Came, console: Console) -> None:
    """How it went, variant by variant, and the verdict."""
    run = came.campaign["run"]
    table = Table(box=None, padding=(0, 2, 0, 0), title=f"{came.campaign['name']} · {run['state']}")
    table.title_justify = "left"
    table.add_column("  variant")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for arm in run["arms"]:
        table.add_row(f"  {arm['variant']} {arm['template']}", *(f"{arm[name]:,}" for name in COLUMNS))
    console.print(table)
    for sentence in came.verdict:
        console.print(f"  {sentence}", markup=False, highlight=False)
    console.print("  (The guests of the demo open and click by themselves.)", style="dim")


def _watched(
    caller: Caller, path: str, is_over: Callable[[Mapping[str, Any]], bool], *, patience: float = 60.0
) -> Mapping[str, Any]:
    """The campaign, once its run is over, or time is up."""
    deadline = time.monotonic() + patience
    while True:
        told: Mapping[str, Any] = caller.ask(path)
        if (told["run"] and is_over(told["run"])) or time.monotonic() > deadline:
            return told
        time.sleep(0.3)


def _is_over(run: Mapping[str, Any]) -> bool:
    return run["state"] not in {"starting", "running"}


def _is_counted(run: Mapping[str, Any], readers: Readers, before: int) -> bool:
    return bool(run["counts"]["clicked"] >= max(1, readers.clicks - before))
