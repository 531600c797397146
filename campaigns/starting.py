"""From a moment of the schedule to a run: found by every tick and every alarm, made once.

`next_at` says which campaigns are due, and `last_planned_at` up to where their moments are seen to. Both move in the
transaction that writes the runs, under the lock of the campaign's row; a run is unique for its moment besides. So it
does not matter how many beats and workers ask at once, how often, or how long nobody did.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from campaigns import beat
from campaigns.models import Campaign, Run
from campaigns.schedule_of import late_limit_of, schedule_of
from campaigns.schedules import BadSchedule, Due, Skipped, due, first_moment
from campaigns.vocabulary import CampaignState, RunState

_INSTANT: Final = timedelta(microseconds=1)
_PAUSED: Final = "The campaign was paused."

log = structlog.get_logger(__name__)


def schedule(campaign: Campaign, at: datetime) -> datetime | None:
    """Let a campaign that has just become active wait for its first moment; in the transaction that activates it.

    Returns that moment, which may be now. Where the schedule has none left, the campaign has ended. Raises
    `BadSchedule`.
    """
    campaign.next_at = None
    campaign.next_at = first_moment(schedule_of(campaign, at), at)
    campaign.last_planned_at = (campaign.next_at or at) - _INSTANT
    _keep(campaign, at)
    return campaign.next_at


def due_campaigns(at: datetime) -> Sequence[UUID]:
    """The active campaigns that have a moment by now, the most overdue first. Served by campaign_due."""
    active = Campaign.objects.filter(state=CampaignState.ACTIVE, next_at__lte=at)
    return list(active.order_by("next_at").values_list("id", flat=True))


def occurrences(campaign: Campaign, at: datetime) -> Due:
    """What becomes of the moments of a campaign that nobody has seen to yet. Raises `BadSchedule`."""
    last = campaign.last_planned_at or (campaign.next_at or at) - _INSTANT
    return due(schedule_of(campaign, at), last, at, late_limit_of(campaign))


def start_due(at: datetime) -> list[UUID]:
    """Make the runs that are due by now; returns those that are to be begun."""
    return [run_id for campaign_id in due_campaigns(at) for run_id in start(campaign_id, at)]


def start(campaign_id: UUID, at: datetime) -> list[UUID]:
    """Make the run of one campaign, if one is due, and tell of the moments that pass without one.

    Returns the run that is to be begun. Where somebody else is at it just now, they return it.
    """
    with transaction.atomic():
        due_now = Campaign.objects.filter(pk=campaign_id, state=CampaignState.ACTIVE, next_at__lte=at)
        campaign = due_now.select_for_update(skip_locked=True).first()
        if campaign is None:
            return []
        try:
            found = occurrences(campaign, at)
        except BadSchedule as wrong:
            _give_up(campaign, wrong, at)
            return []
        begun = _write([Run(campaign=campaign, planned_for=found.run)] if found.run else [])
        _write(_skipped(campaign, found.skipped, at))
        _move_on(campaign, found, at)
    for one in found.skipped:
        log.warning("run.skipped", campaign=str(campaign.pk), planned_for=one.moment.isoformat(), because=one.because)
    return begun


def pass_over(campaign: Campaign, at: datetime) -> None:
    """Tell of the moments that passed while a campaign was paused; in the transaction that resumes it.

    Where no moment is left, the campaign has ended. Raises `BadSchedule`.
    """
    while campaign.next_at and campaign.next_at <= at:
        found = occurrences(campaign, at)
        passed = [one.moment for one in found.skipped] + ([found.run] if found.run else [])
        _write(_skipped(campaign, [Skipped(moment, _PAUSED) for moment in passed], at))
        campaign.next_at, campaign.last_planned_at = found.then, found.seen_to
    campaign.last_planned_at = max(at, campaign.last_planned_at or at)
    _keep(campaign, at)


def _skipped(campaign: Campaign, skipped: Iterable[Skipped], at: datetime) -> list[Run]:
    return [
        Run(
            campaign=campaign,
            planned_for=one.moment,
            state=RunState.SKIPPED,
            finished_at=at,
            note=one.because,
        )
        for one in skipped
    ]


def _write(runs: Sequence[Run]) -> list[UUID]:
    """Write those whose moment has no run yet: `ON CONFLICT DO NOTHING`. Returns which were written."""
    if not runs:
        return []
    Run.objects.bulk_create(runs, ignore_conflicts=True)
    return list(Run.objects.filter(pk__in=[run.pk for run in runs]).values_list("id", flat=True))


def _move_on(campaign: Campaign, found: Due, at: datetime) -> None:
    campaign.next_at, campaign.last_planned_at = found.then, found.seen_to
    if campaign.next_at is None:
        _keep(campaign, at)
    else:
        campaign.save(update_fields=["next_at", "last_planned_at"])


def _keep(campaign: Campaign, at: datetime) -> None:
    """Write where a campaign stands, which has ended without a next moment, and keep its alarm."""
    if campaign.next_at is None:
        campaign.state = CampaignState.ENDED
    campaign.save(update_fields=["state", "next_at", "last_planned_at"])
    beat.keep(campaign, at)


def _give_up(campaign: Campaign, wrong: BadSchedule, at: datetime) -> None:
    """A schedule that was right once, as when its zone is not known any more: told, and paused until it is changed."""
    planned_for = campaign.next_at or at
    note = str(wrong)[:300]
    _write([Run(campaign=campaign, planned_for=planned_for, state=RunState.FAILED, finished_at=at, note=note)])
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.PAUSED)
    log.error("campaign.unschedulable", campaign=str(campaign.pk), error=note)
