"""Encrypt every provider account's credentials with the first of VAULT_KEYS, so that the others can be removed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications import resealing


class Command(BaseCommand):
    """`manage.py reseal`: between adding a key and removing the old one."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=100, help="accounts read and written together")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch is at least 1.")
        done = resealing.reseal_all(batch=options["batch"])
        self.stdout.write(f"{done.resealed} resealed, {done.current} were sealed with the first key already.")
        if done.unreadable:
            raise CommandError(
                f"No key in VAULT_KEYS opens the credentials of {', '.join(done.unreadable)}. "
                "Put the key back that they were sealed with, or give them new credentials; remove no key before."
            )
