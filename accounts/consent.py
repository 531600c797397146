"""Every change of what people want: their choices, and what the owners of addresses refuse. Each is in the log."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import consent_log
from accounts.channels import Channel
from accounts.consent_log import Change, Witness
from accounts.models import (
    Actor,
    Aspect,
    Category,
    Preference,
    Recipient,
    Refusal,
    Via,
)
from accounts.traces import owned

__all__ = [
    "Actor", "Choice", "Via", "Witness", "choose", "forget_category", "forget_choices", "noted", "refuse",
    "replace", "set_quiet_hours", "unrefuse",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person wants; None speaks for every category, or every channel."""

    allowed: bool
    category: Category | None = None
    channel: Channel | None = None


# --- what a person wants -----------------------------------------------------------------------------
def choose(recipient: Recipient, choices: Sequence[Choice], at: datetime, by: Witness) -> None:
    """Note what a person wants; a choice made before for the same category and channel is replaced."""
    with noted(recipient, at, by):
        _write(recipient, choices, at, by)


def replace(recipient: Recipient, choices: Sequence[Choice], at: datetime, by: Witness) -> None:
    """These choices and no others."""
    with noted(recipient, at, by):
        Preference.objects.filter(recipient=recipient).delete()
        _write(recipient, choices, at, by)


def forget_choices(recipient: Recipient, at: datetime, by: Witness) -> int:
    """From now on only the categories' defaults apply; says how many choices there were."""
    with noted(recipient, at, by):
        forgotten, _ = Preference.objects.filter(recipient=recipient).delete()
    return forgotten


def forget_category(category: Category, at: datetime, by: Witness) -> None:
    """Before a category is deleted: the choices that go with it are logged. By statement, as there may be many."""
    with transaction.atomic():
        choices = Preference.objects.filter(category=category)
        said = choices.values_list("recipient_id", "channel", "allowed").iterator(chunk_size=5000)
        consent_log.append(
            (
                Change(Aspect.PREFERENCE, _word(allowed), "", person, category=category.slug, channel=channel)
                for person, channel, allowed in said
            ),
            at,
            by,
        )
        choices.delete()
        refusals = Refusal.objects.filter(category=category)
        ended = refusals.select_related("category")
        consent_log.append((_unrefused(refusal, refusal.address) for refusal in ended), at, by)
        refusals.delete()


@contextmanager
def noted(recipient: Recipient, at: datetime, by: Witness) -> Iterator[None]:
    """Whatever happens to a person's choices in here is one transaction, and its net effect is logged.

    The person is locked meanwhile: of two changes at once, the second one's "before" is the first one's "after".
    """
    with transaction.atomic():
        Recipient.objects.select_for_update(no_key=True).filter(pk=recipient.pk).first()
        before = _said_by(recipient)
        yield
        after = _said_by(recipient)
        changes = [
            Change(Aspect.PREFERENCE, before.get(key, ""), after.get(key, ""), recipient.pk, "", *key)
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        ]
        if changes:
            consent_log.append(changes, at, by)


def set_quiet_hours(recipient: Recipient, window: tuple[time, time] | None, at: datetime, by: Witness) -> None:
    """The hours in which a person wants nothing but what is critical; None for no such hours."""
    with transaction.atomic():
        known = Recipient.objects.select_for_update(no_key=True).get(pk=recipient.pk)
        before, after = _hours((known.quiet_from, known.quiet_until)), _hours(window or (None, None))
        if before == after:
            return
        known.quiet_from, known.quiet_until = window or (None, None)
        known.updated_at = at
        known.save(update_fields=["quiet_from", "quiet_until", "updated_at"])
        consent_log.append([Change(Aspect.QUIET_HOURS, before, after, known.pk)], at, by)


def _write(recipient: Recipient, choices: Sequence[Choice], at: datetime, by: Witness) -> None:
    for choice in choices:
        Preference.objects.update_or_create(
            recipient=recipient,
            category=choice.category,
            channel=choice.channel or "",
            defaults={"allowed": choice.allowed, "changed_at": at, "source": by.source[:100]},
        )
    _welcome_back(recipient, [choice for choice in choices if choice.allowed], at, by)


def _welcome_back(recipient: Recipient, allowed: Sequence[Choice], at: datetime, by: Witness) -> None:
    """What a person allows is allowed at their addresses, too: the refusal that came from there was the word before."""
    addresses = [address for address in (recipient.email, recipient.phone) if address]
    if not (allowed and addresses):
        return
    meant = Q()
    for choice in allowed:
        about = {"category": choice.category, "channel": choice.channel}
        meant |= Q(pk__isnull=False, **{name: value for name, value in about.items() if value})
    _delete_refusals(Refusal.objects.standing(addresses).filter(meant), addresses, at, by)


def _said_by(recipient: Recipient) -> dict[tuple[str, str], str]:
    """What a person said, by category and channel, empty where it is about all."""
    said = Preference.objects.filter(recipient=recipient).values_list("category__slug", "channel", "allowed")
    return {(slug or "", channel): _word(allowed) for slug, channel, allowed in said}


def _word(allowed: bool) -> str:  # noqa: FBT001 - a column's value
    return "allowed" if allowed else "refused"


def _hours(window: tuple[time | None, time | None]) -> str:
    start, end = window
    return f"{start:%H:%M}-{end:%H:%M}" if start is not None and end is not None else ""


# --- what the owner of an address wants --------------------------------------------------------------
def refuse(channel: Channel, address: str, category: Category, at: datetime, by: Witness) -> None:
    """The owner of an address wants nothing of a category there. Repeating it does no harm."""
    with transaction.atomic():
        _, is_new = Refusal.objects.get_or_create(
            channel=channel.value, address=address, category=category, defaults={"created_at": at}
        )
        if is_new:
            about = Change(
                Aspect.REFUSAL, "", "refused", address=address, category=category.slug, channel=channel.value
            )
            consent_log.append([about], at, by)


def unrefuse(channel: Channel, address: str, category: Category, at: datetime, by: Witness) -> None:
    """The owner of an address takes a category again."""
    meant = Refusal.objects.standing([address]).filter(channel=channel.value, category=category)
    with transaction.atomic():
        _delete_refusals(meant, [address], at, by)


def _delete_refusals(meant: QuerySet[Refusal], addresses: Sequence[str], at: datetime, by: Witness) -> None:
    found = list(meant.select_for_update(of=("self",)).select_related("category").order_by("address", "id"))
    if found:
        Refusal.objects.filter(pk__in=[refusal.pk for refusal in found]).delete()
        whose = owned([refusal.address for refusal in found], addresses)
        consent_log.append([_unrefused(refusal, whose[refusal.address]) for refusal in found], at, by)


def _unrefused(refusal: Refusal, address: str) -> Change:
    return Change(
        Aspect.REFUSAL, "refused", "", address=address, category=refusal.category.slug, channel=refusal.channel
    )
