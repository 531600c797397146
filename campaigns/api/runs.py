"""The doors for programs: all runs of a campaign, each as its latest is told of. `ROUTES` are for `urls.py`."""

from typing import Final
from uuid import UUID

from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import needs
from accounts.models import Scope
from campaigns import progress
from campaigns.api import run_serializers as serializers
from campaigns.api.own import campaign_of, run_of
from campaigns.api.showing import run_shown
from campaigns.models import Arm
from notifications.api.paging import LatestFirst, PageQuery


class Runs(APIView):
    """All runs of a campaign."""

    permission_classes = (needs(Scope.CAMPAIGNS_READ),)

    @extend_schema(
        operation_id="campaigns_runs_list",
        parameters=[PageQuery],
        responses=serializers.RunsAnswer,
        examples=[OpenApiExample("Every morning", value=serializers.A_PAGE, response_only=True)],
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        """The runs of a campaign, the latest first. `next` is the address of the next page.

        With those that were skipped or could not start, of which `note` says why. Counts are behind by a few seconds.
        """
        campaign = campaign_of(request, campaign_id)
        PageQuery(data=request.query_params.dict()).is_valid(raise_exception=True)
        pages = LatestFirst()
        page = pages.paginate_queryset(campaign.runs.all(), request, view=self) or []
        counts = progress.counts_of_runs(list(Arm.objects.filter(run__in=page)))
        told = [serializers.line(run, counts.get(run.id)) for run in page]
        return pages.get_paginated_response(serializers.RunLineAnswer(told, many=True).data)


class RunDetail(APIView):
    """One run of a campaign."""

    permission_classes = (needs(Scope.CAMPAIGNS_READ),)

    @extend_schema(operation_id="campaigns_runs_retrieve", responses=serializers.RunAnswer)
    def get(self, request: Request, campaign_id: UUID, run_id: UUID) -> Response:
        """One run of a campaign: how far it is, variant by variant, and what was expected of it.

        The same as `GET /v1/campaigns/{campaign_id}` tells of the latest. What came of it in full, with rates, reasons
        and a verdict, is in `GET /v1/campaigns/{campaign_id}/report?run={run_id}`.
        """
        return Response(run_shown(run_of(request, campaign_id, run_id)))


ROUTES: Final[list[URLPattern]] = [
    path("campaigns/<uuid:campaign_id>/runs", Runs.as_view(), name="campaign-runs"),
    path("campaigns/<uuid:campaign_id>/runs/<uuid:run_id>", RunDetail.as_view(), name="campaign-run"),
]
