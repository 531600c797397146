"""`manage.py application`: applications and their keys, for those who have no browser at hand."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import authentication
from accounts.authentication import KeyUnusable, NewKey
from accounts.channels import Mode
from accounts.models import Application

#: Hours, a year: whoever needs longer does not rotate.
_LONGEST_OVERLAP: Final = 8760


class Command(BaseCommand):
    """Create an application's keys, rotate their secrets, revoke them."""

    help = "Create an application's keys, rotate their secrets, revoke them. A secret is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="a new key; the application is made if there is none of that name")
        create.add_argument("name")
        create.add_argument("--test", action="store_true", help="messages of this key reach the sandbox and no person")
        create.add_argument("--rate-limit", help="requests it may make, for example 200/s")
        rotate = verbs.add_parser("rotate", help="a new secret; the old one stays valid for a while")
        rotate.add_argument("key")
        rotate.add_argument("--overlap-hours", type=_hours, default=24.0, help="how long; default: 24")
        revoke = verbs.add_parser("revoke", help="end a key and all of its secrets")
        revoke.add_argument("key")

    def handle(self, *_args: Any, **options: Any) -> None:
        match options["verb"]:
            case "create":
                self._show(_created(options))
            case "rotate":
                overlap = timedelta(hours=options["overlap_hours"])
                try:
                    self._show(authentication.rotate(options["key"], timezone.now(), overlap))
                except KeyUnusable as error:
                    raise CommandError(str(error)) from None
            case _:
                if not authentication.revoke(options["key"], timezone.now()):
                    raise CommandError(f"{options['key']} does not exist or is revoked already.")
                self.stdout.write("Revoked.")

    def _show(self, new: NewKey) -> None:
        self.stdout.write(json.dumps({"key": new.key, "secret": new.secret}))


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 <= hours <= _LONGEST_OVERLAP:
        raise ArgumentTypeError(f"write a number of hours from 0 to {_LONGEST_OVERLAP}")
    return hours


def _created(options: dict[str, Any]) -> NewKey:
    application = Application.objects.filter(name=options["name"]).first() or Application(name=options["name"])
    if options["rate_limit"]:
        application.rate_limit = options["rate_limit"]
    try:
        application.full_clean()
    except ValidationError as error:
        raise CommandError("; ".join(error.messages)) from None
    application.save()
    return authentication.create_key(application, Mode.TEST if options["test"] else Mode.LIVE)
