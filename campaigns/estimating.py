"""Before the start: whom a campaign will reach, and what that will cost.

The planner itself is asked, without writing or counting anything, about everybody in the segment, or about a sample of
them where they are many: what it says of these is scaled up, and told with how far it may be off.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import sqrt
from typing import Final
from uuid import UUID

from django.db import connection

from accounts.channels import Channel, Mode
from accounts.ids import floor_of, new_id
from accounts.links import Subject
from campaigns import outings
from campaigns.estimates import Cost, Estimate, Expected, Suppressed
from campaigns.experiments.assignment import Design, Share
from campaigns.models import Campaign
from campaigns.outings import Outing
from campaigns.schedule_of import schedule_of
from campaigns.schedules import BadSchedule, first_moment
from campaigns.segments.compiling import Where, compiled, count, page_ids, with_memory
from notifications import charging, text_costs
from notifications.planning.prices import Money
from notifications.planning.segments import segments
from notifications.planning.values import Candidate, Decision, Drop, Later, Send, Target
from notifications.routes import routes
from notifications.vocabulary import Queue, Reason
from templates_app import catalogue
from templates_app.catalogue import Edition
from templates_app.rendering import RenderError

#: People who are looked at, at most.
SAMPLE: Final = 2_000

#: Where the hash of an id begins to be counted, and how many values it has.
_FIRST_HASH: Final = -(2**31)
_HASHES: Final = 2**32

#: So many people, each as likely as any other. One pass over the table, in which the rules are looked at for those
#: alone whose hash is small enough: a tenth more than are wanted, so that there are rarely too few.
_SAMPLE: Final = """
    SELECT recipient.id
      FROM accounts_recipient AS recipient
     WHERE uuid_hash(recipient.id) < %(most)s AND recipient.id < %(before)s AND ({where})
     ORDER BY uuid_hash(recipient.id)
     LIMIT %(limit)s
"""


class CannotEstimate(Exception):
    """There is nothing to ask the planner about; the message says what is missing."""


def estimate(campaign: Campaign, at: datetime, *, planned_for: datetime | None = None) -> Estimate:
    """What would come of a campaign if it was planned now, for the moment `planned_for`, else for its first.

    By everybody's own clock that moment has passed for some: whoever it is too late for gets nothing. Raises
    `CannotEstimate`, and `UnusableRules` where the rules of its segment cannot be used.
    """
    editions = _editions(campaign)
    ids, people = _drawn(compiled(campaign.segment, at), floor_of(at))
    look = _Look(campaign, at, planned_for or _first_moment(campaign, at))
    for letter, given in _divided(campaign, ids).items():
        if letter in editions:
            look.at_variant(letter, editions[letter], given)
        else:
            look.held_out += len(given)
    return look.scaled(people, len(ids), {letter: one.template for letter, one in editions.items()})


def _first_moment(campaign: Campaign, at: datetime) -> datetime:
    """The moment for which it would go out first, were it started now; of a schedule that cannot be read, this one."""
    try:
        return first_moment(schedule_of(campaign, at), at) or at
    except BadSchedule:
        return at


def _editions(campaign: Campaign) -> dict[str, Edition]:
    """What each variant says."""
    variants = list(campaign.variants.select_related("template").order_by("letter"))
    if not variants:
        raise CannotEstimate("It has no variant: choose a template.")
    found = {one.letter: catalogue.published(one.template.name) for one in variants}
    if gone := [one.template.name for one in variants if found[one.letter] is None]:
        raise CannotEstimate(f"No version of {', '.join(gone)} is published.")
    return {letter: edition for letter, edition in found.items() if edition}


def _drawn(where: Where, before: UUID) -> tuple[list[UUID], int]:
    """Everybody in a segment, or a sample of them; and how many there are."""
    everybody = page_ids(where, None, before, SAMPLE + 1)
    if len(everybody) <= SAMPLE:
        return everybody, len(everybody)
    people = count(where, before)
    portion = min(1.0, SAMPLE * 1.1 / people)
    asked = {**where.params, "before": before, "most": _FIRST_HASH + int(portion * _HASHES), "limit": SAMPLE}
    with with_memory(), connection.cursor() as cursor:
        cursor.execute(_SAMPLE.format(where=where.sql), asked)
        return [row[0] for row in cursor.fetchall()], people


def _divided(campaign: Campaign, ids: Sequence[UUID]) -> Mapping[str | None, Sequence[UUID]]:
    """Who gets which variant; None is for those who are held out.

    Those who wait for the winner are taken for the variant that they would get without a test: it is not known yet.
    """
    shares = tuple(Share(one.letter, one.weight) for one in campaign.variants.all())
    design = Design(campaign.id, shares, campaign.holdout_percent / 100)
    given: defaultdict[str | None, list[UUID]] = defaultdict(list)
    for person in ids:
        given[None if design.is_held_out(person) else design.variant_of(person)].append(person)
    return given


@dataclass(slots=True)
class _Sum:
    """What some messages cost, and the squares of what each person's do: for how far a sample may be off."""

    messages: int = 0
    segments: int = 0
    amount: Decimal = Decimal(0)
    squares: float = 0.0


@dataclass(slots=True)
class _Look:
    """What the planner said of those who were asked about."""

    campaign: Campaign
    at: datetime
    planned_for: datetime
    held_out: int = 0
    reached: int = 0
    given: Counter[str] = field(default_factory=Counter)
    planned: Counter[tuple[str, Channel]] = field(default_factory=Counter)
    later: Counter[Channel] = field(default_factory=Counter)
    suppressed: Counter[tuple[Channel, Reason]] = field(default_factory=Counter)
    sums: defaultdict[tuple[Channel, str], _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    #: The sum of the squares of everybody's deliveries.
    squares: float = 0.0

    def at_variant(self, letter: str, edition: Edition, people: Sequence[UUID]) -> None:
        """Ask about those to whom one variant falls."""
        outing = Outing(self.campaign, self.planned_for, edition, new_id())
        self.given[letter] += len(people)
        each: Counter[UUID | None] = Counter()
        paid: defaultdict[tuple[UUID | None, Channel, str], Decimal] = defaultdict(Decimal)
        for decision in outings.planned(outing, people, self.at, peek=True).decisions:
            person, channel = decision.candidate.person, decision.candidate.channel
            match decision.verdict:
                case Send(targets=targets):
                    self.planned[letter, channel] += len(targets)
                    each[person.recipient_id] += len(targets)
                    for parts, price in self._prices(decision, edition):
                        into = self.sums[channel, price.currency]
                        into.messages, into.segments = into.messages + 1, into.segments + parts
                        into.amount += price.amount
                        paid[person.recipient_id, channel, price.currency] += price.amount
                case Drop(reason=reason):
                    self.suppressed[channel, reason] += 1
                case Later():
                    self.later[channel] += 1
                case _:
                    pass
        self.reached += len(each)
        self.squares += sum(number**2 for number in each.values())
        for (_, channel, currency), amount in paid.items():
            self.sums[channel, currency].squares += float(amount) ** 2

    def scaled(self, people: int, sampled: int, templates: Mapping[str, str]) -> Estimate:
        """As if everybody had been asked about."""
        scale = _Scale(people, sampled)
        by_channel: Counter[Channel] = Counter()
        for (_, channel), number in self.planned.items():
            by_channel[channel] += number
        return Estimate(
            at=self.at,
            people=people,
            sampled=sampled,
            held_out=scale.up(self.held_out),
            reached=scale.up(self.reached),
            planned={channel: scale.up(by_channel[channel]) for channel in Channel if by_channel[channel]},
            later={channel: scale.up(self.later[channel]) for channel in Channel if self.later[channel]},
            suppressed=[
                Suppressed(channel, reason, scale.up(number))
                for (channel, reason), number in self.suppressed.most_common()
            ],
            costs=[
                Cost(
                    channel,
                    currency,
                    scale.up(one.messages),
                    scale.up(one.segments),
                    scale.amount_up(one.amount),
                    scale.error_percent(float(one.amount), one.squares),
                )
                for (channel, currency), one in sorted(self.sums.items())
            ],
            variants=[
                Expected(
                    letter,
                    template,
                    scale.up(self.given[letter]),
                    scale.up(sum(number for (of, _), number in self.planned.items() if of == letter)),
                )
                for letter, template in templates.items()
            ],
            error_percent=scale.error_percent(by_channel.total(), self.squares),
        )

    def _prices(self, decision: Decision, edition: Edition) -> Iterator[tuple[int, Money]]:
        """The parts and the price of each message of a decision that costs anything."""
        candidate, verdict = decision.candidate, decision.verdict
        assert isinstance(verdict, Send)
        for target in verdict.targets:
            account = self._account(candidate.channel, target)
            if account is None:
                continue
            parts = self._parts(candidate, verdict.locale, target, edition) if candidate.channel is Channel.SMS else 1
            if parts:
                yield parts, charging.price(account, candidate.channel, target.address, parts, self.at.date())

    def _account(self, channel: Channel, target: Target) -> str | None:
        """The account by which it would go first; None where it asks for nothing, "" where there is none.

        To devices all live accounts send for the same price.
        """
        mode = Mode(self.campaign.mode)
        account = ""
        if channel is not Channel.PUSH and not charging.is_free(mode, channel):
            order = routes.directory(Queue(target.queue), "", mode).order(new_id(), target.address)
            if order:
                account, mode = order[0].account.name, order[0].mode
        return None if charging.is_free(mode, channel) else account

    def _parts(self, candidate: Candidate, locale: str, target: Target, edition: Edition) -> int:
        """Those of the text as it would be sent; none where it cannot be rendered, and so is not."""
        subject = Subject(Channel.SMS, candidate.person.recipient_id, target.address)
        data = {**self.campaign.data, **candidate.person.own_data}
        try:
            return segments(text_costs.said(edition, locale, data, subject, new_id()))
        except RenderError:
            return 0


@dataclass(frozen=True, slots=True)
class _Scale:
    """From a sample to everybody."""

    people: int
    sampled: int

    def up(self, number: int) -> int:
        """A count."""
        return round(number * self.people / self.sampled) if self.sampled else 0

    def amount_up(self, amount: Decimal) -> Decimal:
        """An amount, to a millionth."""
        if self.people == self.sampled:
            return amount
        return (amount * self.people / self.sampled).quantize(Decimal("0.000001"))

    def error_percent(self, total: float, squares: float) -> float:
        """By how many percent a sum over everybody may be off, with 95 %: 1.96 standard errors of the mean of a sample
        drawn without putting back (Cochran, Sampling Techniques, 2.6 to 2.8), of people of whom some come to nothing.
        """
        size = self.sampled
        if size < 2 or not total or size >= self.people:
            return 0.0
        mean = total / size
        variance = max(0.0, squares - size * mean**2) / (size - 1)
        return round(100 * 1.96 * sqrt(variance / size * (1 - size / self.people)) / mean, 1)
