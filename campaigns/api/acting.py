"""The doors for programs: a run is held, goes on, is withdrawn, tries again, is decided. `ROUTES` are for `urls.py`.

Each by two addresses: of a campaign, which means its latest run, and of a run.
"""

from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import needs
from accounts.models import Scope
from campaigns import controlling
from campaigns.api.own import campaign_of, run_of
from campaigns.api.refusing import NotPossible, possible
from campaigns.api.run_serializers import CancelledAnswer, RetriedAnswer, RunAnswer, WinnerRequest
from campaigns.api.serializers import CampaignAnswer
from campaigns.api.showing import latest_run, run_shown, shown
from campaigns.models import Run
from notifications.clock import clock


class _Act(APIView):
    permission_classes = (needs(Scope.CAMPAIGNS_WRITE),)


class CampaignPause(_Act):
    """Hold the latest run."""

    @extend_schema(operation_id="campaigns_pause", request=None, responses=CampaignAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Hold the latest run: nothing more is planned, and nothing leaves. Repeating it changes nothing."""
        _pause(_latest(request, campaign_id))
        return Response(shown(campaign_of(request, campaign_id)))


class RunPause(_Act):
    """Hold a run."""

    @extend_schema(operation_id="campaigns_runs_pause", request=None, responses=RunAnswer)
    def post(self, request: Request, campaign_id: UUID, run_id: UUID) -> Response:
        """Hold this run: nothing more is planned, and nothing leaves. Repeating it changes nothing."""
        _pause(run_of(request, campaign_id, run_id))
        return Response(run_shown(run_of(request, campaign_id, run_id)))


class CampaignResume(_Act):
    """Go on with the latest run."""

    @extend_schema(operation_id="campaigns_resume", request=None, responses=CampaignAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Go on where the latest run was held. Repeating it changes nothing."""
        _resume(_latest(request, campaign_id))
        return Response(shown(campaign_of(request, campaign_id)))


class RunResume(_Act):
    """Go on with a run."""

    @extend_schema(operation_id="campaigns_runs_resume", request=None, responses=RunAnswer)
    def post(self, request: Request, campaign_id: UUID, run_id: UUID) -> Response:
        """Go on where this run was held. Repeating it changes nothing."""
        _resume(run_of(request, campaign_id, run_id))
        return Response(run_shown(run_of(request, campaign_id, run_id)))


class CampaignCancel(_Act):
    """Withdraw the latest run."""

    @extend_schema(operation_id="campaigns_cancel", request=None, responses=CancelledAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Withdraw what has not been sent of the latest run. Repeating it does no harm."""
        return Response(_cancelled(_latest(request, campaign_id)))


class RunCancel(_Act):
    """Withdraw a run."""

    @extend_schema(operation_id="campaigns_runs_cancel", request=None, responses=CancelledAnswer)
    def post(self, request: Request, campaign_id: UUID, run_id: UUID) -> Response:
        """Withdraw what has not been sent of this run. Repeating it does no harm."""
        return Response(_cancelled(run_of(request, campaign_id, run_id)))


class CampaignRetry(_Act):
    """Another try for what failed in the latest run."""

    @extend_schema(operation_id="campaigns_retry", request=None, responses={202: RetriedAnswer})
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Try again what failed in the latest run because every attempt did.

        They are queued again in the background, some thousand a second; `to_retry` of the run says how many still wait
        for it. Asking again meanwhile does no harm, and cancelling the run ends it.
        """
        return Response(_retried(_latest(request, campaign_id)), status=status.HTTP_202_ACCEPTED)


class RunRetry(_Act):
    """Another try for what failed in a run."""

    @extend_schema(operation_id="campaigns_runs_retry", request=None, responses={202: RetriedAnswer})
    def post(self, request: Request, campaign_id: UUID, run_id: UUID) -> Response:
        """Try again what failed in this run because every attempt did.

        They are queued again in the background, some thousand a second; `to_retry` of the run says how many still wait
        for it. Asking again meanwhile does no harm, and cancelling the run ends it.
        """
        return Response(_retried(run_of(request, campaign_id, run_id)), status=status.HTTP_202_ACCEPTED)


class CampaignChoose(_Act):
    """Decide the experiment of the latest run."""

    @extend_schema(operation_id="campaigns_choose", request=WinnerRequest, responses=CampaignAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Send one variant to those of the latest run who wait for the better one, without waiting for the numbers."""
        _choose(_latest(request, campaign_id), request)
        return Response(shown(campaign_of(request, campaign_id)))


class RunChoose(_Act):
    """Decide the experiment of a run."""

    @extend_schema(operation_id="campaigns_runs_choose", request=WinnerRequest, responses=RunAnswer)
    def post(self, request: Request, campaign_id: UUID, run_id: UUID) -> Response:
        """Send one variant to those of this run who wait for the better one, without waiting for the numbers."""
        _choose(run_of(request, campaign_id, run_id), request)
        return Response(run_shown(run_of(request, campaign_id, run_id)))


_VIEWS: Final[dict[str, tuple[type[APIView], type[APIView]]]] = {
    "pause": (CampaignPause, RunPause),
    "resume": (CampaignResume, RunResume),
    "cancel": (CampaignCancel, RunCancel),
    "retry": (CampaignRetry, RunRetry),
    "choose": (CampaignChoose, RunChoose),
}
ROUTES: Final[list[URLPattern]] = [
    route
    for name, (of_campaign, of_run) in _VIEWS.items()
    for route in (
        path(f"campaigns/<uuid:campaign_id>/{name}", of_campaign.as_view(), name=f"campaign-{name}"),
        path(f"campaigns/<uuid:campaign_id>/runs/<uuid:run_id>/{name}", of_run.as_view(), name=f"campaign-run-{name}"),
    )
]


def _latest(request: Request, campaign_id: UUID) -> Run:
    run = latest_run(campaign_of(request, campaign_id))
    if run is None:
        raise NotPossible("It has not gone out yet: there is no run.")
    return run


def _pause(run: Run) -> None:
    possible(lambda: controlling.pause(run.id, clock.now()))


def _resume(run: Run) -> None:
    possible(lambda: controlling.resume(run.id, clock.now()))


def _cancelled(run: Run) -> dict[str, Any]:
    return asdict(possible(lambda: controlling.withdraw(run.id, clock.now())))


def _retried(run: Run) -> dict[str, Any]:
    return asdict(possible(lambda: controlling.retry_failed(run.id, clock.now())))


def _choose(run: Run, request: Request) -> None:
    asked = WinnerRequest(data=request.data)
    asked.is_valid(raise_exception=True)
    possible(lambda: controlling.choose(run.id, asked.validated_data["variant"], clock.now()))
