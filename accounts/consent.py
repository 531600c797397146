"""Every change of consent: a person's choices, and addresses that nobody may send to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.channels import Channel
from accounts.models import Category, Preference, Recipient, Suppression
from accounts.models import SuppressionCause as Cause

__all__ = ["Cause", "Choice", "choose", "forget_choices", "lift", "suppress"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person wants; None speaks for every category, or every channel."""

    allowed: bool
    category: Category | None = None
    channel: Channel | None = None


def choose(recipient: Recipient, choices: Sequence[Choice], at: datetime, *, source: str) -> None:
    """Note what a person wants, from `source`; a choice made before for the same category and channel is replaced."""
    with transaction.atomic():
        for choice in choices:
            Preference.objects.update_or_create(
                recipient=recipient,
                category=choice.category,
                channel=choice.channel or "",
                defaults={"allowed": choice.allowed, "changed_at": at, "source": source},
            )


def forget_choices(recipient: Recipient) -> int:
    """From now on only the categories' defaults apply; says how many choices there were."""
    forgotten, _ = Preference.objects.filter(recipient=recipient).delete()
    return forgotten


def suppress(channel: Channel, address: str, cause: Cause, at: datetime, *, detail: str = "") -> None:
    """Nobody sends to `address` on `channel` any more. The first cause stands; repeating it does no harm."""
    longest = Suppression._meta.get_field("detail").max_length
    Suppression.objects.bulk_create(
        [Suppression(channel=channel, address=address, cause=cause, detail=detail[:longest], created_at=at)],
        ignore_conflicts=True,
    )


def lift(channel: Channel, address: str) -> bool:
    """The address may be sent to again; False when it was not suppressed."""
    lifted, _ = Suppression.objects.filter(channel=channel, address=address).delete()
    return bool(lifted)
