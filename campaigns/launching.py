"""A run on its way: its arms, its frozen audience, and one chunk planned after the other."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.channels import Channel, Mode
from accounts.ids import new_id
from accounts.zones import zone_of
from campaigns import chunks, freezing
from campaigns.chunks import Turn
from campaigns.experiments.assignment import Design, Share
from campaigns.models import Arm, Campaign, Run
from campaigns.schedule_of import late_limit_of, window_of
from campaigns.schedules import local_due, wall_everywhere, within, zone_named
from campaigns.vocabulary import GO_ON, HOLD_OUT, RunState
from notifications import caps, facts, queues, tariffs
from notifications.ledger.append import Header, append_header, append_plan
from notifications.liveness import signing
from notifications.meters import metered
from notifications.planning.plan import plan
from notifications.planning.values import Decision, Facts, Person, Plan
from notifications.stopping import stopping
from notifications.vocabulary import Lane, Urgency
from templates_app import catalogue


@dataclass(frozen=True, slots=True)
class When:
    """When somebody gets it: at once where `leaves_at` is None. `is_too_late`: not at all, any more."""

    leaves_at: datetime | None = None
    is_too_late: bool = False


_AT_ONCE: Final = When()
_TOO_LATE: Final = When(is_too_late=True)


def begin(run: Run, at: datetime) -> None:
    """Give a new run its arms and their notifications; its audience is frozen from here on.

    Who comes second finds it begun. A variant whose template is published no more ends it before it began.
    """
    with transaction.atomic():
        if not Run.objects.select_for_update().filter(pk=run.pk, state=RunState.STARTING, started_at=None).exists():
            return
        variants = list(run.campaign.variants.select_related("template").order_by("letter"))
        gone = [one.template.name for one in variants if catalogue.published(one.template.name) is None]
        if gone or not variants:
            note = f"No version of {', '.join(gone)} is published." if gone else "It has no variant."
            Run.objects.filter(pk=run.pk).update(state=RunState.FAILED, finished_at=at, note=note)
            return
        arms = []
        for variant in variants:
            edition = catalogue.published(variant.template.name)
            assert edition is not None
            arm = Arm(run=run, letter=variant.letter, template=edition.template, weight=variant.weight)
            arm.version_id, arm.notification_id = edition.version_id, new_id()
            append_header(_header(arm, run.campaign, edition.category.id))
            arms.append(arm)
        if run.campaign.holdout_percent:
            arms.append(Arm(run=run, letter=HOLD_OUT))
        Arm.objects.bulk_create(arms)
        shares = {arm.letter: arm.weight for arm in arms if arm.letter != HOLD_OUT}
        Run.objects.filter(pk=run.pk).update(started_at=at, next_chunk_at=at, shares=shares)
        transaction.on_commit(hint)


def hint() -> None:
    """Say that a run has something to do."""
    queues.hint_task(GO_ON, queues.PLANNER_QUEUE)


def go_on(*, clock: Callable[[], datetime]) -> int:
    """Freeze a slice, or else plan a chunk, of whatever run has its turn; says for how many people.

    1. Freezing goes first, but for the first slice, after which a chunk is planned: the first messages leave while
       the rest of the audience is written down.
    2. A chunk: facts, an arm for everybody, a plan for each arm, and all of it appended in the transaction in which
       the chunk ends. A worker that is killed leaves a whole chunk or nothing.
    3. Hint, as long as there may be more.
    """
    queues.task_taken(GO_ON)
    at = clock()
    frozen = _freeze(clock)
    if chunks.are_crowded(at):
        if frozen:
            hint()
        return 0
    turn = chunks.take(at, lease_for=_lease())
    if turn is None:
        if frozen:
            hint()
        return 0
    hint()
    signing.moved()
    return plan_chunk(turn, clock())


def _freeze(clock: Callable[[], datetime]) -> bool:
    """Write down what there is to write down; a first slice is left alone, so that its people need not wait."""
    freeze = freezing.take(clock(), lease_for=_lease())
    if freeze is None:
        return False
    is_first = freeze.run.frozen_to is None
    while freezing.freeze_slice(freeze, clock(), lease_for=_lease()):
        signing.moved()
        if is_first or stopping.is_wished():
            break
    freezing.release(freeze)
    return True


def plan_chunk(turn: Turn, at: datetime) -> int:
    """Plan everybody in a chunk, each once; says how many people got a plan, and 0 where the chunk was lost."""
    arms = {arm.letter: arm for arm in turn.run.arms.all()}
    given = _divided(turn, arms)
    put_off = given.pop(None, [])
    planned = [
        (arms[letter], _planned(arms[letter], turn.run, people, at))
        for letter, people in given.items()
        if letter is not None and letter != HOLD_OUT
    ]
    with transaction.atomic(), metered() as meters:
        if not chunks.done(turn, at):
            return 0
        chunks.put_off(turn, put_off)
        lanes: set[Lane] = set()
        for _arm, (header, decided) in planned:
            if decided.decisions:
                lanes |= append_plan(header, decided, at)[1]
                meters.planned(decided)
        for letter in sorted(letter for letter in given if letter is not None):
            chunks.count_people(arms[letter].id, len(given[letter]))
        transaction.on_commit(lambda: queues.hint(lanes))
    return sum(len(people) for people in given.values())


def design(run: Run) -> Design:
    """How the people of a run are divided at this moment."""
    campaign = run.campaign
    shares = tuple(Share(letter, weight) for letter, weight in sorted(run.shares.items()))
    return Design(campaign.id, shares, campaign.holdout_percent / 100, campaign.test_percent / 100)


def _divided(turn: Turn, arms: Mapping[str, Arm]) -> dict[str | None, list[UUID]]:
    """Everybody's arm by its letter; None is for those who wait for the better variant."""
    given: defaultdict[str | None, list[UUID]] = defaultdict(list)
    if turn.phase > 1:
        # whoever is held out, or was tested, is not in it
        return {turn.run.winner: turn.recipient_ids}
    divided = design(turn.run)
    for person in turn.recipient_ids:
        given[divided.arm_of(person)].append(person)
    return dict(given)


def _planned(arm: Arm, run: Run, people: Sequence[UUID], at: datetime) -> tuple[Header, Plan]:
    """What becomes of some people of one arm."""
    assert arm.version_id is not None
    edition = catalogue.edition(arm.version_id)
    campaign = run.campaign
    header = _header(arm, campaign, edition.category.id)
    asked = tuple(Channel(name) for name in campaign.channels) or edition.channels
    question = facts.Question(
        edition,
        [facts.Addressee()] * len(people),
        asked,
        campaign.data,
        tariff=tariffs.current(at),
        urgency=Urgency(campaign.urgency),
    )
    known, _ = facts.gather_again(question, people)
    decisions: list[Decision] = []
    for when, group in _by_when(known, run, at).items():
        part = replace(known, people=tuple(group), send_at=when.leaves_at, expires_at=at if when.is_too_late else None)
        # counted twice, as when this chunk is planned again after a crash, a message counts once
        decisions += caps.counted(plan(part, at), part, header.id, at).decisions
    return header, Plan(tuple(decisions))


def _by_when(known: Facts, run: Run, at: datetime) -> Mapping[When, list[Person]]:
    """People by the moment at which they get it."""
    if not run.campaign.in_local_time:
        return {_AT_ONCE: list(known.people)}
    groups: defaultdict[When, list[Person]] = defaultdict(list)
    zones: dict[tuple[str, str], When] = {}
    for person in known.people:
        place = (person.time_zone, person.country)
        if place not in zones:
            zones[place] = _when(run, str(zone_of(*place, known.usual_zone)), at)
        groups[zones[place]].append(person)
    return groups


def _when(run: Run, zone: str, at: datetime) -> When:
    """When people of a zone get it by their own clock: at their time of day, and within the window."""
    moment = local_due(wall_everywhere(run.planned_for), zone, at, late_limit_of(run.campaign))
    if moment is None:
        return _TOO_LATE
    if window := window_of(run.campaign):
        moment = within(window, moment, zone_named(zone))
    return When(moment) if moment > at else _AT_ONCE


def _header(arm: Arm, campaign: Campaign, category_id: UUID) -> Header:
    assert arm.notification_id is not None
    assert arm.version_id is not None
    return Header(
        id=arm.notification_id,
        application_id=campaign.application_id,
        version_id=arm.version_id,
        category_id=category_id,
        mode=Mode(campaign.mode),
        urgency=Urgency(campaign.urgency),
        data=campaign.data,
        part_of=arm.id,
    )


def _lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)
