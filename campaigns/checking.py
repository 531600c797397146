"""What is wrong with a campaign, told before anything of it starts; and what somebody should know who starts it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import connection

from accounts.channels import Channel
from accounts.ids import floor_of
from campaigns import leading
from campaigns.models import Campaign, Segment, Variant
from campaigns.schedule_of import problems_of, unasked
from campaigns.segments import looking
from campaigns.segments.compiling import UnusableRules, compiled
from campaigns.vocabulary import LETTERS, Split
from notifications import facts, intake
from notifications.vocabulary import Urgency
from templates_app import catalogue
from templates_app.catalogue import Edition

#: Languages of an audience that are looked at, the most frequent first.
_LOCALES: Final = 200

#: Minutes that an adaptive split needs at least: shares follow those who had two minutes for a click.
LEAST_TO_LEARN: Final = 10

#: How many of a segment read what. One pass over it.
_LOCALES_OF: Final = """
    SELECT recipient.locale, count(*)
      FROM accounts_recipient AS recipient
     WHERE recipient.id < %(before)s AND ({where})
     GROUP BY recipient.locale
     ORDER BY count(*) DESC
     LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: the field, and a message that says what would be right."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What stands in the way of a campaign, and what does not but should be known."""

    problems: Sequence[Problem] = ()
    warnings: Sequence[str] = ()
    people: int = 0


@dataclass(frozen=True, slots=True)
class _Spoken:
    """One variant as it would go out."""

    letter: str
    edition: Edition
    channels: tuple[Channel, ...]
    #: The languages of the audience that it does not speak on some channel, and of how many people.
    lacks: Mapping[str, int] = field(default_factory=dict)


def look_at(campaign: Campaign, at: datetime) -> Findings:
    """All that is wrong with a campaign that is to start now."""
    variants = list(campaign.variants.select_related("template__category").order_by("letter"))
    found = [
        *(Problem(one.field, one.message) for one in (*problems_of(campaign, at), *unasked(campaign))),
        *_of_experiment(campaign, variants),
        *_of_templates(variants),
    ]
    try:
        readers = _readers(campaign.segment, at)
        being_read = looking.being_read(campaign.segment)
    except UnusableRules as error:
        return Findings([*found, Problem("segment", f"Its rules cannot be used: {error}")])
    people = sum(readers.values())
    if not people:
        found.append(Problem("segment", f"Nobody is in “{campaign.segment}” now. Choose another, or change its rules."))
    spoken = [_spoken(campaign, one, readers) for one in variants if catalogue.published(one.template.name)]
    for one in spoken:
        found += _of_words(campaign, one)
    languages, warnings = _of_languages(spoken, people)
    warnings += [
        f"A file for the list “{name}” is being read: what begins before that is done goes to the list of before."
        for name in being_read
    ]
    return Findings([*found, *languages], [*_of_learning(campaign, variants, people), *warnings], people)


def needs_approval(campaign: Campaign) -> bool:
    """Whether a category of what it says wants a second pair of eyes."""
    return campaign.variants.filter(template__category__needs_approval=True).exists()


def _of_experiment(campaign: Campaign, variants: Sequence[Variant]) -> Iterator[Problem]:
    if not variants:
        yield Problem("variants", "Choose a template: there is nothing to send.")
    if len(variants) > len(LETTERS):
        yield Problem("variants", f"There are {len(variants)} variants; try {len(LETTERS)} at most.")
    if len(variants) < 2 and campaign.test_percent < 100:
        yield Problem("test_percent", "With one variant there is nothing to test: make it 100, or add a variant.")
    if len(variants) < 2 and campaign.split == Split.ADAPTIVE:
        yield Problem("split", "With one variant there is nothing to adapt: make it fixed, or add a variant.")
    if len(variants) > 1 and campaign.split == Split.ADAPTIVE and campaign.throttle_per_minute is None:
        yield Problem(
            "throttle_per_minute",
            "An adaptive split learns while it sends: say how many people a minute, or all is gone before a click.",
        )


def _of_learning(campaign: Campaign, variants: Sequence[Variant], people: int) -> Iterator[str]:
    """Experiments that will teach nobody anything."""
    by_template: defaultdict[str, list[str]] = defaultdict(list)
    for one in variants:
        by_template[one.template.name].append(one.letter)
    for name, letters in by_template.items():
        if len(letters) > 1:
            told = " and ".join((", ".join(letters[:-1]), letters[-1]))
            yield f"{told} say the same, {name}: whatever differs between them is chance."
    tried = people * (100 - campaign.holdout_percent) * campaign.test_percent // 10_000
    pace = campaign.throttle_per_minute
    if len(variants) < 2 or campaign.split != Split.ADAPTIVE or not pace or not tried:
        return
    if tried < LEAST_TO_LEARN * pace:
        most = tried // LEAST_TO_LEARN
        right = f"at most {most:,} a minute" if most else "use a fixed split: they are too few"
        yield (
            f"An adaptive split learns from what people did minutes ago. At {pace:,} a minute all {tried:,} people are "
            f"planned within {_seconds(tried, pace)}, before it can: {right}."
        )


def _seconds(people: int, pace: int) -> str:
    seconds = max(1, round(60 * people / pace))
    return "a second" if seconds == 1 else f"{seconds} seconds"


def _of_templates(variants: Sequence[Variant]) -> Iterator[Problem]:
    for one in variants:
        if catalogue.published(one.template.name) is None:
            yield Problem("variants", f"{one.letter}: no version of {one.template.name} is published.")
    categories = {one.template.category.name for one in variants}
    if len(categories) > 1:
        told = " and ".join(sorted(categories))
        yield Problem("variants", f"They are of different categories, {told}; compare wordings of one.")


def _spoken(campaign: Campaign, variant: Variant, readers: Mapping[str, int]) -> _Spoken:
    edition = catalogue.published(variant.template.name)
    assert edition is not None
    asked = tuple(Channel(name) for name in campaign.channels) or edition.channels
    lacks = {
        locale: people
        for locale, people in readers.items()
        if locale and not all(_speaks(edition, channel, locale) for channel in asked if channel in edition.channels)
    }
    return _Spoken(variant.letter, edition, asked, lacks)


def _of_words(campaign: Campaign, one: _Spoken) -> Iterator[Problem]:
    silent = [channel.value for channel in one.channels if channel not in one.edition.channels]
    if silent:
        yield Problem("channels", f"{one.letter}: {one.edition.template} says nothing by {', '.join(silent)}.")
    question = facts.Question(
        one.edition,
        (),
        tuple(channel for channel in one.channels if channel in one.edition.channels),
        campaign.data,
        urgency=Urgency(campaign.urgency),
    )
    try:
        intake.check_for_audience(question)
    except intake.Unacceptable as error:
        for problem in error.problems:
            yield Problem(problem.field, f"{one.letter}: {problem.message}")
        return
    for astray in leading.astray(one.edition, question.channels, campaign.data):
        yield Problem("variants", f"{one.letter}: the link “{astray.link[:80]}” {astray.why}")


def _of_languages(spoken: Sequence[_Spoken], people: int) -> tuple[list[Problem], list[str]]:
    """Languages that one variant speaks and another does not would be compared with each other; refused.

    What none of them speaks gets the usual language, which is only told.
    """
    problems, warnings = [], []
    for one in spoken:
        others = {locale for locale in one.lacks if any(locale not in other.lacks for other in spoken)}
        for locale in sorted(others, key=lambda name: -one.lacks[name]):
            readers = _so_many_read(one.lacks[locale])
            told = f"{one.letter}: {one.edition.template} does not speak {locale}, which {readers}"
            problems.append(Problem("variants", f"{told}; another variant does. Write it, or leave them out."))
        if people and sum(one.lacks.values()) == people:
            told = f"{one.letter}: {one.edition.template} speaks none of the languages that the audience reads"
            problems.append(Problem("variants", f"{told}, such as {next(iter(one.lacks))}."))
    for locale in sorted({locale for one in spoken for locale in one.lacks}):
        lacking = [one for one in spoken if locale in one.lacks]
        if len(lacking) == len(spoken):
            usual = lacking[0].edition.default_locale
            warnings.append(f"{_so_many_read(lacking[0].lacks[locale])} {locale}; they get it in {usual}.")
    return problems, warnings


def _so_many_read(people: int) -> str:
    return "1 person reads" if people == 1 else f"{people:,} people read"


def _speaks(edition: Edition, channel: Channel, locale: str) -> bool:
    said = edition.locale_for(channel, locale)
    return said is not None and said.split("-")[0] == locale.split("-", maxsplit=1)[0]


def _readers(segment: Segment, at: datetime) -> dict[str, int]:
    where = compiled(segment, at)
    asked = {**where.params, "before": floor_of(at), "most": _LOCALES}
    with connection.cursor() as cursor:
        cursor.execute(_LOCALES_OF.format(where=where.sql), asked)
        return dict(cursor.fetchall())
