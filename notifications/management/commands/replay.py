"""`manage.py replay`: another try for dead letters."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from notifications import recovery
from notifications.clock import clock
from notifications.ledger.replay import Choice, dead_letters
from notifications.vocabulary import Queue


class Command(BaseCommand):
    """Try dead letters again: those of a queue, an account or a notification, or all."""

    help = "Try dead letters again. Without a choice it only says how many there are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="every one of them")
        parser.add_argument("--queue", choices=[queue.value for queue in Queue])
        parser.add_argument("--account", default="", help="the provider account that was tried")
        parser.add_argument("--notification", type=UUID)

    def handle(self, *_args: Any, **options: Any) -> None:
        choice = Choice(
            notification_id=options["notification"],
            queue=Queue(options["queue"]) if options["queue"] else None,
            account=options["account"],
        )
        if choice == Choice() and not options["all"]:
            for queue, count in sorted(dead_letters().items()):
                self.stdout.write(f"{queue}: {count}")
            raise CommandError("Say which: --all, --queue, --account or --notification.")
        self.stdout.write(f"{recovery.replay(choice, clock=clock.now)} are tried again.")
