"""The report of a campaign: of one run or of its latest ones together, by a fixed number of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.channels import Channel
from campaigns.models import Arm, Campaign, Run
from campaigns.reports.comparing import Comparison, Gathered, compared, side_by_side
from campaigns.reports.counting import Counted, Line, added
from campaigns.reports.holdout import Brought, brought
from campaigns.reports.reading import Which, counted
from campaigns.vocabulary import HOLD_OUT

#: The latest runs of a campaign that are looked at together.
MOST_RUNS: Final = 200


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run among the others of its campaign."""

    run: Run
    counted: Counted


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What came of a campaign: of one run, or of the latest ones together, where `run` is None.

    `cells` are the figures by variant and channel. `comparison` says who won where it is about one run, and nothing
    otherwise: the people of several runs are the same, and counting them several times makes nothing surer.
    """

    campaign: Campaign
    run: Run | None
    runs: Sequence[RunLine]
    people: int
    held_out: int
    total: Counted
    channels: Sequence[Line]
    comparison: Comparison
    cells: Mapping[tuple[str, Channel], Counted] = field(repr=False)
    brought: Brought | None = None


def of_campaign(campaign: Campaign, run_id: UUID | None, at: datetime) -> CampaignReport:
    """The report of a campaign, or of one of its runs. Raises `Run.DoesNotExist` for a run of another."""
    runs = list(campaign.runs.order_by("-planned_for")[:MOST_RUNS])
    chosen = _chosen(campaign, runs, run_id)
    arms = list(Arm.objects.filter(run__in=runs if chosen in runs or chosen is None else [chosen]).order_by("letter"))
    found = counted(Which(parts=[arm.id for arm in arms if arm.letter != HOLD_OUT]), "part_of", "channel")
    by_run = _by_run(arms, found)
    mine = [arm for arm in arms if chosen is None or arm.run_id == chosen.id]
    cells = _cells(mine, found)
    gathered = {letter: _gathered(letter, mine, cells) for letter in dict.fromkeys(arm.letter for arm in mine)}
    if chosen is not None:
        chosen.campaign = campaign
        comparison = compared(chosen, gathered)
    else:
        comparison = Comparison("", side_by_side(gathered), ())
    return CampaignReport(
        campaign=campaign,
        run=chosen,
        runs=[RunLine(run, by_run.get(run.id, Counted())) for run in runs],
        people=sum(arm.people for arm in mine),
        held_out=sum(arm.people for arm in mine if arm.letter == HOLD_OUT),
        total=added(cells.values()),
        channels=_channels(cells),
        comparison=comparison,
        cells=cells,
        brought=brought(chosen, mine, at) if chosen is not None else None,
    )


def parts_of(report: CampaignReport) -> list[UUID]:
    """The arms that a report is about."""
    runs = [report.run] if report.run else [one.run for one in report.runs]
    return list(Arm.objects.filter(run__in=runs).exclude(letter=HOLD_OUT).values_list("id", flat=True))


def _chosen(campaign: Campaign, runs: Sequence[Run], run_id: UUID | None) -> Run | None:
    """The run that was asked for, or the only one."""
    if run_id is None:
        return runs[0] if len(runs) == 1 else None
    for run in runs:
        if run.id == run_id:
            return run
    return campaign.runs.get(pk=run_id)


def _by_run(arms: Sequence[Arm], found: Mapping[tuple[UUID, str], Counted]) -> Mapping[UUID, Counted]:
    run_of = {arm.id: arm.run_id for arm in arms}
    each: defaultdict[UUID, list[Counted]] = defaultdict(list)
    for (part, _channel), one in found.items():
        each[run_of[part]].append(one)
    return {run: added(several) for run, several in each.items()}


def _cells(arms: Sequence[Arm], found: Mapping[tuple[UUID, str], Counted]) -> Mapping[tuple[str, Channel], Counted]:
    letters = {arm.id: arm.letter for arm in arms}
    each: defaultdict[tuple[str, Channel], list[Counted]] = defaultdict(list)
    for (part, channel), one in found.items():
        if part in letters:
            each[letters[part], Channel(channel)].append(one)
    order = {channel: place for place, channel in enumerate(Channel)}
    return {key: added(each[key]) for key in sorted(each, key=lambda key: (key[0], order[key[1]]))}


def _gathered(letter: str, arms: Sequence[Arm], cells: Mapping[tuple[str, Channel], Counted]) -> Gathered:
    mine = [arm for arm in arms if arm.letter == letter]
    templates = ", ".join(dict.fromkeys(arm.template for arm in mine))
    told = added(one for (its_letter, _), one in cells.items() if its_letter == letter)
    return Gathered(templates, sum(arm.people for arm in mine), told)


def _channels(cells: Mapping[tuple[str, Channel], Counted]) -> Sequence[Line]:
    each: defaultdict[Channel, list[Counted]] = defaultdict(list)
    for (_letter, channel), one in cells.items():
        each[channel].append(one)
    return [Line(channel.value, channel.value, added(each[channel])) for channel in Channel if channel in each]
