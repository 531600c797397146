"""A run on its way: its arms, its frozen audience, and one chunk planned after the other."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.channels import Mode
from accounts.ids import new_id
from campaigns import chunks, freezing, outings
from campaigns.chunks import Turn
from campaigns.experiments.assignment import Design, Share
from campaigns.models import Arm, Campaign, Run, Segment, Variant
from campaigns.outings import Outing
from campaigns.segments import keeping
from campaigns.segments.reading import UnusableRules
from campaigns.vocabulary import GO_ON, HOLD_OUT, RunState
from notifications import queues
from notifications.ledger.append import Header, append_header, append_plan
from notifications.liveness import signing
from notifications.meters import metered
from notifications.planning.values import Plan
from notifications.stopping import stopping
from notifications.vocabulary import Lane, Urgency
from templates_app import catalogue

#: Seconds after which it is looked again whether there is room: much less than what waits will take.
_BREATH: Final = 1


def begin(run: Run, at: datetime) -> None:
    """Give a new run its arms and their notifications; its audience is frozen from here on.

    Who comes second finds it begun. A variant whose template is published no more ends it before it began.
    """
    with transaction.atomic():
        if not Run.objects.select_for_update().filter(pk=run.pk, state=RunState.STARTING, started_at=None).exists():
            return
        variants = list(run.campaign.variants.select_related("template").order_by("letter"))
        segment = Segment.objects.get(pk=run.campaign.segment_id)
        if note := _stands_in_the_way(run.campaign, segment, variants):
            Run.objects.filter(pk=run.pk).update(state=RunState.FAILED, finished_at=at, note=note[:300])
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
        Run.objects.filter(pk=run.pk).update(
            started_at=at,
            next_chunk_at=at,
            audience=keeping.kept(segment),
            shares=shares,
            holdout_percent=run.campaign.holdout_percent,
            test_percent=run.campaign.test_percent,
        )
        transaction.on_commit(hint)


def _stands_in_the_way(campaign: Campaign, segment: Segment, variants: Sequence[Variant]) -> str:
    """Why a run cannot begin, in words; empty where it can."""
    try:
        segments = keeping.closure(segment)
    except UnusableRules as error:
        return f"The segment “{segment}” cannot be used: {error}"
    approved_at = campaign.approved_at
    changed = [one.name for one in segments if approved_at is not None and one.changed_at > approved_at]
    if changed:
        return f"“{changed[0]}” was changed after the campaign was approved. Stop it, and have it approved again."
    if not variants:
        return "It has no variant."
    gone = [one.template.name for one in variants if catalogue.published(one.template.name) is None]
    return f"No version of {', '.join(gone)} is published." if gone else ""


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
        queues.hint_task(GO_ON, queues.PLANNER_QUEUE, after=_BREATH)
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
    shares = tuple(Share(letter, weight) for letter, weight in sorted(run.shares.items()))
    return Design(run.campaign_id, shares, run.holdout_percent / 100, run.test_percent / 100)


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
    header = _header(arm, run.campaign, edition.category.id)
    return header, outings.planned(Outing(run.campaign, run.planned_for, edition, header.id), people, at)


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
