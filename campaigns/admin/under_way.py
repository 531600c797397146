"""Campaigns on the home page: the runs that are under way, and what begins next."""

from datetime import datetime
from typing import Any, Final

from django.db.models import Sum
from django.http import HttpRequest

from campaigns.admin import run_page
from campaigns.admin.when import in_a_while
from campaigns.models import Campaign, Run
from campaigns.vocabulary import UNFINISHED, CampaignState, RunState

#: Of either.
_SHOWN: Final = 5


def told(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """Two statements, for whoever may see campaigns. Served by run_unfinished and campaign_due."""
    if not request.user.has_perms(("campaigns.view_run", "campaigns.view_campaign")):
        return {}
    going = Run.objects.filter(state__in=sorted(UNFINISHED)).select_related("campaign")
    runs = going.annotate(handled=Sum("arms__people")).order_by("-id")[:_SHOWN]
    waiting = Campaign.objects.filter(state=CampaignState.ACTIVE, next_at__isnull=False).order_by("next_at")
    return {
        "campaign_runs": [(run, run_page.LOOKS[RunState(run.state)], _percent(run)) for run in runs],
        "campaigns_next": [(one, in_a_while(max(one.next_at, at) - at)) for one in waiting[:_SHOWN] if one.next_at],
    }


def _percent(run: Any) -> int:
    """Of its people, those of whom is decided what they get."""
    return 100 * (run.handled or 0) // run.people if run.people else 0
