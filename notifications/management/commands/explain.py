"""`manage.py explain`: why somebody did, or did not, get something."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications import explaining
from notifications.clock import clock
from notifications.explaining import Nobody, Span

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


def _span(text: str) -> timedelta:
    try:
        return int(text[:-1]) * _UNITS[text[-1:]]
    except (KeyError, ValueError, OverflowError):
        raise ArgumentTypeError(f"write a number and h or d, as in 36h or 7d, not {text!r}") from None


class Command(BaseCommand):
    """What was decided for a person lately, and what applies to them now."""

    help = "Why somebody did, or did not, get something: what was decided for them, and what applies now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="an external id, an email address or a phone number, in full")
        parser.add_argument("--since", type=_span, default="7d", help="how far back: 36h, 7d (the default)")

    def handle(self, *_args: Any, **options: Any) -> None:
        at = clock.now()
        try:
            person = explaining.found(options["who"])
        except Nobody as error:
            raise CommandError(str(error)) from None
        told = explaining.happened(person, Span(at - options["since"], at))
        for one in told:
            delivery = one.delivery
            template = delivery.notification.version.template.name
            self.stdout.write(f"{template} · {delivery.channel} · {delivery.state} · {delivery.pk}")
            for moment in one.story:
                self.stdout.write(f"  {moment.at:%Y-%m-%d %H:%M:%S}  {moment.what:11} {moment.detail}")
        if not told:
            self.stdout.write("Nothing was sent to them, or kept from them, in this time.")
        elif len(told) == explaining.PAGE:
            self.stdout.write(f"These are the latest {explaining.PAGE}; ask for a shorter time to see the others.")
        self.stdout.write("\nAt present:")
        for answer in explaining.applies_now(person, at):
            self.stdout.write(f"  {answer.category} · {answer.channel:5} · {answer.because}")
