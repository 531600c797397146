"""`manage.py templates pull DIR` and `push DIR`: templates as files, to be kept in git."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from templates_app.files import pulling, pushing
from templates_app.files.pulling import CannotPull
from templates_app.files.pushing import Mistaken, Wish


class Command(BaseCommand):
    """Templates into a folder, and out of it."""

    help = "Write templates into a folder, one folder each, or bring them from there into the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        pull = verbs.add_parser("pull", help="write what is published into a folder")
        pull.add_argument("folder", type=Path, metavar="DIR")
        pull.add_argument("names", nargs="*", metavar="NAME", help="these templates alone; all, where none is named")
        pull.add_argument("--drafts", action="store_true", help="the newest version of each, published or not")
        push = verbs.add_parser("push", help="check a folder, then make drafts of what changed in it")
        push.add_argument("folder", type=Path, metavar="DIR")
        push.add_argument(
            "--publish", action="store_true", help="publish them, or give them to review where that is due"
        )
        push.add_argument("--dry-run", action="store_true", help="change nothing; show what would change as a diff")
        push.add_argument(
            "--by", default="", metavar="USERNAME", help="whose deed it is, for reviews and the audit log"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["verb"] == "pull":
            self._pull(options)
        else:
            self._push(options)

    def _pull(self, options: dict[str, Any]) -> None:
        try:
            done = pulling.pull(options["folder"], drafts=options["drafts"], names=options["names"])
        except (CannotPull, OSError) as error:
            raise CommandError(str(error)) from None
        for path in done.written:
            self.stdout.write(f"written  {path}")
        for path in done.removed:
            self.stdout.write(f"removed  {path}")
        for name in done.silent:
            self.stdout.write(f"{name}: nothing is published; --drafts writes its draft")
        self.stdout.write(f"{len(done.written)} files written, {len(done.removed)} removed, {done.same} as they were.")

    def _push(self, options: dict[str, Any]) -> None:
        by = None
        if options["by"] and (by := get_user_model().objects.filter(username=options["by"]).first()) is None:
            raise CommandError(f"Nobody is called {options['by']}.")
        try:
            if options["dry_run"]:
                self._show(options["folder"])
                return
            done = pushing.push(options["folder"], Wish(timezone.now(), by, options["publish"], tell=self.stdout.write))
        except Mistaken as error:
            for mistake in error.mistakes:
                self.stderr.write(str(mistake))
            count = len(error.mistakes)
            raise CommandError(f"{count} mistake{'s' if count > 1 else ''}; nothing was changed.") from None
        except OSError as error:
            raise CommandError(str(error)) from None
        if done.unmentioned:
            self.stdout.write(f"Not in the folder, and left alone: {', '.join(done.unmentioned)}.")
        self.stdout.write(
            f"{done.drafts} drafts made, {done.published} published, {done.in_review} given to review, "
            f"{done.described} described, {done.partials} partials, {done.categories} categories; "
            f"{done.same} unchanged."
        )

    def _show(self, folder: Path) -> None:
        lines = list(pushing.differences(folder))
        for line in lines:
            self.stdout.write(line)
        self.stdout.write("" if lines else "Nothing would change.")
