"""`python -m benchmarks`: how fast the platform is on this machine, against targets, a bare loop and the textbook."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from rich.console import Console

from benchmarks import report
from benchmarks.context import Context, Values
from benchmarks.memory import Sampler
from benchmarks.scenarios import (
    api_batch,
    api_single,
    bytes_per_delivery,
    campaign_run,
    log_growth,
    memory,
    mixed_day,
    push_campaign,
    receipts,
    redirects,
    urgent_under_load,
)
from benchmarks.sizes import FULL, QUICK
from benchmarks.stage import ROOT, Void, stage

#: In the order in which they run: the first one needs fresh processes, the last one fills the log.
SCENARIOS: Final[Mapping[str, Callable[[Context], Values]]] = {
    "memory": memory.run,
    "bytes_per_delivery": bytes_per_delivery.run,
    "push_campaign": push_campaign.run,
    "api_single": api_single.run,
    "api_batch": api_batch.run,
    "mixed_day": mixed_day.run,
    "receipts": receipts.run,
    "redirects": redirects.run,
    "urgent_under_load": urgent_under_load.run,
    "campaign_run": campaign_run.run,
    "log_growth": log_growth.run,
}


def main() -> int:
    """Run what was asked for; 1 when a run proves nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under a minute: to compare two runs")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help=f"some of {', '.join(SCENARIOS)}")
    parser.add_argument("--list", action="store_true", help="say what can be run, and run nothing")
    asked = parser.parse_args()
    console = Console()
    if asked.list:
        for name, scenario in SCENARIOS.items():
            about = sys.modules[scenario.__module__].__doc__ or ""
            console.print(f"{name:<20} {about.splitlines()[0]}")
        return 0
    sizes = QUICK if asked.quick else FULL
    # charts to publish are of full sizes
    charts = ROOT / ".run" / "benchmarks" if asked.quick else ROOT / "docs" / "benchmarks"
    chosen = [name for name in SCENARIOS if not asked.only or name in asked.only]
    values: Values = {}
    console.print(report.machine(), style="dim")
    try:
        console.print("Starting the platform …")
        with stage() as started, Sampler(started.about["processes"]) as sampler:
            context = Context(started, sizes, sampler, charts, console)
            for name in chosen:
                began = time.monotonic()
                values |= SCENARIOS[name](context) | {"memory.peak_pss_mb": sampler.peak_mb}
                console.print(f"[green]✓[/] {name:<20} {time.monotonic() - began:6.1f} s")
    except Void as error:
        report.show(values, console, quick=asked.quick)
        console.print("[red]Void:[/]", str(error), "The figures above are of what ran before it, and are not kept.")
        return 1
    report.show(values, console, quick=asked.quick)
    if asked.only:
        console.print(f"Only a part was run: {report.RESULTS.relative_to(ROOT)} stays as it is.")
    else:
        report.write(values, sizes, quick=asked.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
