"""A run begins: what it is expected to come to is written down, and then it goes; both in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction

from campaigns import estimating, launching
from campaigns.models import Run
from campaigns.segments.compiling import UnusableRules
from campaigns.vocabulary import RunState

log = structlog.get_logger(__name__)


def begin(run_ids: Sequence[UUID], at: datetime) -> None:
    """Begin new runs, each with the estimate that its actual figures are compared with later.

    Who comes second finds a run begun, and leaves one that is in other hands to these. Who is killed meanwhile leaves
    it as it was, and the next who looks begins it.
    """
    for run_id in run_ids:
        with transaction.atomic():
            if run := _locked(run_id):
                run.estimate = _expected(run, at)
                run.save(update_fields=["estimate"])
                launching.begin(run, at)


def _locked(run_id: UUID) -> Run | None:
    """A run that has not begun, its row locked until the end of the transaction; or until this machine has vanished."""
    with connection.cursor() as cursor:
        limit = f"{settings.LEASE_SECONDS}s"
        cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [limit])
    waiting = Run.objects.filter(pk=run_id, state=RunState.STARTING, started_at=None)
    locked = waiting.select_for_update(of=("self",), skip_locked=True)
    return locked.select_related("campaign__segment", "campaign__application").first()


def _expected(run: Run, at: datetime) -> dict[str, Any]:
    """The estimate as a run keeps it. Whatever is wrong with it, people get their messages: then it is empty."""
    try:
        with transaction.atomic():
            return estimating.estimate(run.campaign, at, planned_for=run.planned_for).as_json()
    except (estimating.CannotEstimate, UnusableRules) as error:
        # whatever stands in the way of it ends the run too, and is told there
        log.warning("run.not_estimated", run=str(run.pk), error=str(error))
    except Exception:
        log.exception("run.not_estimated", run=str(run.pk))
    return {}
