"""`manage.py consents export EXTERNAL_ID …`: the proof of what people agreed to, and when."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import consent_log
from accounts.models import Recipient


class Command(BaseCommand):
    """Every change of what people agreed to, as CSV or JSON."""

    help = "Write every change of consent of the named recipients: who, when, by which way, before and after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export", help="write the log of some recipients to standard output")
        export.add_argument("recipients", nargs="+", metavar="EXTERNAL_ID")
        export.add_argument("--format", choices=("csv", "json"), default="csv")

    def handle(self, *_args: Any, **options: Any) -> None:
        wanted: list[str] = options["recipients"]
        people = {person.external_id: person for person in Recipient.objects.known_as(wanted)}
        if unknown := [name for name in wanted if name not in people]:
            raise CommandError(f"Nobody has this external_id: {', '.join(unknown)}.")
        lines = consent_log.lines_of(people[name] for name in wanted)
        as_text = consent_log.as_csv if options["format"] == "csv" else consent_log.as_json
        self.stdout.write(as_text(lines), ending="")
