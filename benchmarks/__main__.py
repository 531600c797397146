"""`python -m benchmarks`: how fast the platform is on this machine, against targets, a bare loop and the textbook."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Final

from rich.console import Console

from benchmarks import report
from benchmarks.context import Context, Values
from benchmarks.memory import Sampler
from benchmarks.scenarios import (
    api_batch,
    api_single,
    log_growth,
    memory,
    mixed_day,
    push_campaign,
    urgent_under_load,
)
from benchmarks.sizes import FULL, QUICK
from benchmarks.stage import ROOT, Void, stage

#: In the order in which they run: the first one needs an empty log, the last one fills it.
SCENARIOS: Final[Mapping[str, Callable[[Context], Values]]] = {
    "push_campaign": push_campaign.run,
    "api_single": api_single.run,
    "api_batch": api_batch.run,
    "mixed_day": mixed_day.run,
    "urgent_under_load": urgent_under_load.run,
    "memory": memory.run,
    "log_growth": log_growth.run,
}
#: Brings in the people that others send to.
_FIRST: Final = "push_campaign"


def main() -> int:
    """Run what was asked for; 1 when a run proves nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under a minute: to compare two runs")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help=f"some of {', '.join(SCENARIOS)}")
    asked = parser.parse_args()
    console = Console()
    chosen = [name for name in SCENARIOS if not asked.only or name in asked.only or name == _FIRST]
    values: Values = {}
    console.print(report.machine(), style="dim")
    try:
        console.print("Starting the platform …")
        with stage() as started, Sampler(started.about["processes"]) as sampler:
            context = Context(started, QUICK if asked.quick else FULL, sampler, ROOT / "docs" / "benchmarks", console)
            for name in chosen:
                values |= SCENARIOS[name](context)
                console.print(f"[green]✓[/] {name}")
            values["memory.peak_pss_mb"] = sampler.peak_mb
    except Void as error:
        console.print(f"[red]Void:[/] {error}")
        return 1
    report.show(values, console, quick=asked.quick)
    report.write(values, quick=asked.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
