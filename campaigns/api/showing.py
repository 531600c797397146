"""Campaigns and runs as answers show them."""

from collections.abc import Mapping
from typing import Any

from campaigns import progress, reviewing
from campaigns.api import run_serializers, serializers
from campaigns.checking import Findings
from campaigns.models import Campaign, Run
from campaigns.vocabulary import UNFINISHED, RunState
from notifications.clock import clock


def shown(campaign: Campaign) -> Any:
    """A campaign and its latest run."""
    return serializers.CampaignAnswer(_told(campaign)).data


def started_shown(campaign: Campaign, found: Findings) -> Any:
    """Likewise, with what was found when it was started."""
    known = {"people": found.people, "warnings": found.warnings}
    return serializers.StartedAnswer({**_told(campaign), **known}).data


def run_shown(run: Run) -> Any:
    """A run, and how far it is now."""
    return run_serializers.RunAnswer(run_serializers.told(run, progress.of(run, clock.now()))).data


def latest_run(campaign: Campaign) -> Run | None:
    """The latest that went out: a moment that was skipped hides none that is on its way."""
    gone_out = campaign.runs.exclude(state=RunState.SKIPPED).select_related("campaign")
    return gone_out.order_by("-planned_for").first()


def _told(campaign: Campaign) -> Mapping[str, Any]:
    # where all of its moments were skipped, the latest of those says why
    run = latest_run(campaign) or campaign.runs.select_related("campaign").order_by("-planned_for").first()
    return {
        "id": campaign.id,
        "state": campaign.state,
        "under_way": campaign.runs.filter(state__in=sorted(UNFINISHED)).exists(),
        "mode": campaign.mode,
        "next_at": campaign.next_at,
        "segment": campaign.segment.name,
        "variants": [
            {"template": one.template.name, "weight": one.weight}
            for one in campaign.variants.select_related("template").order_by("letter")
        ],
        "schedule": campaign.schedule_kind,
        # a text that says nothing is null, as whoever writes a campaign may say so
        **{name: None if (said := getattr(campaign, name)) == "" else said for name in serializers.COLUMNS},
        "fingerprint": reviewing.fingerprint(campaign) if reviewing.is_editable(campaign) else None,
        "run": run_shown(run) if run else None,
    }
