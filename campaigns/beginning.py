"""A run begins: what it is expected to come to is written down, and then it goes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from campaigns import estimating, launching
from campaigns.models import Run
from campaigns.segments.compiling import UnusableRules

log = structlog.get_logger(__name__)


def begin(run_ids: Sequence[UUID], at: datetime) -> None:
    """Begin new runs, each with the estimate that its actual figures are compared with later."""
    runs = Run.objects.filter(pk__in=run_ids, started_at=None)
    for run in runs.select_related("campaign__segment", "campaign__application"):
        try:
            run.estimate = estimating.estimate(run.campaign, at).as_json()
            run.save(update_fields=["estimate"])
        except (estimating.CannotEstimate, UnusableRules) as error:
            # whatever stands in the way of it ends the run too, and is told there
            log.warning("run.not_estimated", run=str(run.pk), error=str(error))
        launching.begin(run, at)
