"""The table at the end, and the file that the next run is compared with."""

import json
import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.context import Values
from benchmarks.keys import KEYS
from benchmarks.sizes import Sizes
from benchmarks.stage import ROOT

RESULTS: Final = ROOT / "benchmarks" / "results" / "latest.json"


def show(values: Values, console: Console, *, quick: bool) -> None:
    """Every key with its target and what the run before had."""
    before = previous()
    comparable = before.get("quick") == quick
    table = Table("key", "value", "target", "", "before", title="Benchmarks", title_justify="left")
    for key in KEYS:
        if key.name not in values:
            continue
        value = values[key.name]
        met = "[green]met[/]" if key.is_met(value) else "[red]missed[/]"
        sign = "≤" if key.at_most else "≥"
        earlier = (before.get("besides", {}) if key.aside else before).get(key.name) if comparable else None
        table.add_row(
            key.name,
            f"{_number(value)} {key.unit}",
            f"{sign} {_number(key.target)}",
            "" if quick else met,
            "" if earlier is None else _number(earlier),
        )
    console.print(table)
    if quick:
        console.print("Quick sizes: for comparing two runs of one machine, not against the targets.")


def write(values: Values, sizes: Sizes, *, quick: bool) -> None:
    """Keep the figures of one whole run, with what they were measured on; `besides` holds what explains them."""
    published = {key.name for key in KEYS if not key.aside}
    rounded = {name: round(value, 3) for name, value in values.items()}
    found: dict[str, Any] = {
        "date": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "quick": quick,
        "machine": machine(),
        "sizes": asdict(sizes),
        **{name: value for name, value in rounded.items() if name in published},
        "besides": {name: value for name, value in rounded.items() if name not in published},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


def previous() -> dict[str, Any]:
    """What the run before wrote; empty when there was none."""
    if not RESULTS.exists():
        return {}
    found: dict[str, Any] = json.loads(RESULTS.read_text())
    return found


def machine() -> str:
    """Cores, processor, memory, kernel and Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1_048_576
    return (
        f"{os.cpu_count()} cores, {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _commit() -> str:
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no", "--", "*.py", "constraints.txt"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return told.stdout.strip() + ("+changes" if changed.stdout.strip() else "")
