"""What a person sees and changes by a link: every category on every channel, and what applies now."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from accounts import consent
from accounts.channels import Channel
from accounts.consent import Choice
from accounts.consent_log import Witness
from accounts.links import BadLink, Subject
from accounts.models import Category, Consent, Preference, Recipient, Refusal, Suppression
from accounts.policies import About, decisive
from accounts.traces import owned


@dataclass(frozen=True, slots=True)
class Cell:
    """One category on one channel, and whether it comes there now."""

    category: Category
    channel: Channel
    allowed: bool

    @property
    def name(self) -> str:
        """How a form names it."""
        return f"{self.category.slug}:{self.channel}"


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that one person can choose. `person` is None for a contact of whom only the address is known.

    `stopped` are their addresses to which nothing is sent whatever they choose, with the causes.
    """

    person: Recipient | None
    addresses: Mapping[Channel, str] = field(repr=False)
    rows: tuple[tuple[Category, tuple[Cell, ...]], ...]
    critical: tuple[Category, ...]
    stopped: tuple[tuple[Channel, str, str], ...] = field(repr=False)

    @property
    def cells(self) -> Iterable[Cell]:
        """All of them."""
        return (cell for _, cells in self.rows for cell in cells)

    def cell(self, category: Category, channel: Channel) -> Cell | None:
        """One of them; None where nothing can be chosen, as in critical categories."""
        return next((one for one in self.cells if (one.category, one.channel) == (category, channel)), None)


def board(subject: Subject) -> Board:
    """What applies to whom a link is about. Raises `BadLink` where that is nobody any more."""
    person = Recipient.objects.filter(pk=subject.recipient_id).first() if subject.recipient_id else None
    if subject.recipient_id and person is None:
        raise BadLink
    known = {Channel.SMS: person.phone, Channel.EMAIL: person.email} if person else {subject.channel: subject.address}
    addresses = {channel: address for channel, address in known.items() if address}
    choices = _choices(person) if person else {}
    refusals = list(Refusal.objects.standing(addresses.values()))
    suppressed = list(Suppression.objects.standing(addresses.values()).order_by("id"))
    found = [*(one.address for one in refusals), *(one.address for one in suppressed)]
    whose = owned(found, addresses.values())
    refused = {
        (refusal.category_id, refusal.channel)
        for refusal in refusals
        if addresses.get(Channel(refusal.channel)) == whose[refusal.address]
    }
    rows, critical = [], []
    for category in Category.objects.order_by("name", "slug"):
        if category.is_critical:
            critical.append(category)
        elif person or category.consent == Consent.OPT_OUT:  # whom no product knows can give it no consent
            channels = Channel if person else addresses
            cells = (
                Cell(
                    category,
                    channel,
                    (category.pk, channel.value) not in refused and _comes(choices, category, channel),
                )
                for channel in channels
            )
            rows.append((category, tuple(cells)))
    stopped = tuple(
        (Channel(one.channel), whose[one.address], one.cause)
        for one in suppressed
        if addresses.get(Channel(one.channel)) == whose[one.address]
    )
    return Board(person, addresses, tuple(rows), tuple(critical), stopped)


def save(subject: Subject, shown: Board, wanted: Collection[str], at: datetime, by: Witness) -> None:
    """Let exactly the cells named in `wanted` come; what is so already is not chosen anew."""
    changed = [cell for cell in shown.cells if (cell.name in wanted) != cell.allowed]
    _choose(subject, shown, [(cell, not cell.allowed) for cell in changed], at, by)


def nothing_more(subject: Subject, shown: Board, at: datetime, by: Witness) -> None:
    """Nothing comes any more but what is critical: neither of the categories that are, nor of those that will be."""
    if shown.person:
        off = [
            Choice(allowed=False, category=cell.category, channel=cell.channel) for cell in shown.cells if cell.allowed
        ]
        consent.choose(shown.person, [Choice(allowed=False), *off], at, by)
    else:
        save(subject, shown, (), at, by)


def unsubscribe(subject: Subject, shown: Board, category: Category, at: datetime, by: Witness) -> None:
    """Nothing of a category comes any more on the channel that the link came by. Repeating it does no harm."""
    cell = shown.cell(category, subject.channel)
    if cell and cell.allowed:
        _choose(subject, shown, [(cell, False)], at, by)


def _choose(subject: Subject, shown: Board, changed: list[tuple[Cell, bool]], at: datetime, by: Witness) -> None:
    if shown.person:
        choices = [Choice(allowed, cell.category, cell.channel) for cell, allowed in changed]
        if choices:
            consent.choose(shown.person, choices, at, by)
        return
    for cell, allowed in changed:
        change = consent.unrefuse if allowed else consent.refuse
        change(cell.channel, subject.address, cell.category, at, by)


def _choices(person: Recipient) -> Mapping[About, bool]:
    said = Preference.objects.filter(recipient=person).values_list("category_id", "channel", "allowed")
    return {(category, Channel(channel) if channel else None): allowed for category, channel, allowed in said}


def _comes(choices: Mapping[About, bool], category: Category, channel: Channel) -> bool:
    """The rule of planning, by the same function."""
    about = decisive(choices, category.pk, channel)
    return category.consent == Consent.OPT_OUT if about is None else choices[about]
