"""`manage.py import_recipients FILE`: recipients and their devices from a CSV file."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from accounts.importing import DEVICE_COLUMNS, PERSON_COLUMNS, Imported, Rejected, UnusableFile, import_file

#: Rejected rows shown on the screen; all of them are in the report.
_SHOWN = 20


class Command(BaseCommand):
    """Create and update recipients and their devices from a CSV file."""

    help = (
        "Create and update recipients and their devices from a CSV file in UTF-8 with a header. Columns: "
        f"{', '.join((*PERSON_COLUMNS, *DEVICE_COLUMNS))}, attributes.<name>; only external_id is required. "
        "A person with several devices has a row for each. An empty cell leaves what is known."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check every row, write nothing")
        parser.add_argument("--report", type=Path, help="where rejected rows are listed; default: FILE.rejected.csv")

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        console = Console(stderr=True)
        try:
            done = _imported(path, console, dry_run=options["dry_run"])
        except UnusableFile as error:
            raise CommandError(f"{path}: {error}") from None
        verb = "checked" if options["dry_run"] else "read"
        self.stdout.write(
            f"{done.rows} rows {verb}: {done.created} recipients created, {done.updated} updated, "
            f"{done.devices} devices registered, {len(done.rejected)} rows rejected."
        )
        if done.rejected:
            report = options["report"] or path.with_name(f"{path.name}.rejected.csv")
            _write_report(report, done.rejected)
            console.print(_table(done.rejected))
            self.stdout.write(f"Rejected rows, with line and reason: {report}")


def _imported(path: Path, console: Console, *, dry_run: bool) -> Imported:
    with path.open("rb") as counted:
        lines = max(0, sum(block.count(b"\n") for block in iter(lambda: counted.read(1 << 20), b"")) - 1)
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with path.open("rb") as file, Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=lines)
        return import_file(file, timezone.now(), dry_run=dry_run, progress=lambda rows: bar.advance(task, rows))


def _table(rejected: list[Rejected]) -> Table:
    table = Table(
        "line", "why it was rejected", title=f"First {min(_SHOWN, len(rejected))} of {len(rejected)} rejected rows"
    )
    for row in rejected[:_SHOWN]:
        table.add_row(str(row.line), row.reason)
    return table


def _write_report(report: Path, rejected: list[Rejected]) -> None:
    with report.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason"))
        writer.writerows((row.line, row.reason) for row in rejected)
