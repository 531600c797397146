"""`manage.py worker_health`: do the workers of this machine make progress?"""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications import health
from notifications.clock import clock
from notifications.liveness import folder_in, signs


class Command(BaseCommand):
    """Exit 0 when the workers get on, 1 when one does not, with a sentence on what is wrong and what to do."""

    help = "Say whether the workers of this machine (this container) make progress. Status 1: one does not."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queue",
            nargs="+",
            default=[],
            metavar="NAME",
            help="only workers that read these: ios, planner",
        )
        parser.add_argument("--json", action="store_true", help="for programs: every worker with its trouble")

    def handle(self, *_args: Any, **options: Any) -> None:
        running = signs(folder_in(settings.RUN_DIR))
        names: list[str] = options["queue"]
        asked = [sign for sign in running if not names or any(sign.reads(name) for name in names)]
        found = health.examine(asked, clock.now(), patience=settings.STALL_SECONDS)
        missing = [name for name in names if not any(sign.reads(name) for sign in running)]
        troubles = [one.trouble for one in found if one.trouble]
        troubles += [f"No worker that reads {name} runs here. Start its line of the Procfile." for name in missing]
        if not running and not names:
            troubles.append("No worker runs here. Start a line of the Procfile.")
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in found]))
        else:
            for one in found:
                self.stdout.write(f"{one.worker} (pid {one.pid}): {'STUCK' if one.trouble else 'ok'}")
        if troubles:
            raise CommandError("\n".join(troubles))
