"""The doors for programs: what came of campaigns. `ROUTES` are for `urls.py`."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from django.http import Http404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import needs
from accounts.models import Scope
from campaigns.api.own import caller_of, campaign_of
from campaigns.api.report_serializers import NOT_COVERED, CampaignReportAnswer, ReportQuery, SpanQuery, SpanReportAnswer
from campaigns.models import Arm, Run
from campaigns.reports import gathering, spans, summary
from campaigns.reports.comparing import Variant
from campaigns.reports.gathering import CampaignReport
from campaigns.reports.holdout import Brought
from campaigns.reports.spans import By
from campaigns.vocabulary import HOLD_OUT
from notifications.clock import clock


class CampaignReports(APIView):
    """The report of a campaign."""

    permission_classes = (needs(Scope.CAMPAIGNS_READ),)

    @extend_schema(operation_id="campaigns_report", parameters=[ReportQuery], responses=CampaignReportAnswer)
    def get(self, request: Request, campaign_id: UUID) -> Response:
        """What came of a campaign. Of one run, or of its latest 200 together; behind by a few seconds.

        `GET /v1/campaigns/{campaign_id}/runs` lists all of them, by whose ids `run` asks for one.
        """
        asked = ReportQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        campaign = campaign_of(request, campaign_id)
        try:
            report = gathering.of_campaign(campaign, asked.validated_data.get("run"), clock.now())
        except Run.DoesNotExist:
            raise Http404 from None
        return Response(CampaignReportAnswer(_told(report)).data)


class SpanReports(APIView):
    """Reports of spans of days."""

    permission_classes = (needs(Scope.CAMPAIGNS_READ),)

    @extend_schema(operation_id="reports_list", parameters=[SpanQuery], responses=SpanReportAnswer)
    def get(self, request: Request) -> Response:
        """What was planned on some days, and what people did on them, by campaign, template, category or channel.

        Only what this application's campaigns sent. What it asked for by `POST /v1/notifications` is not in the
        figures, by template and category neither: sums by the hour do not know whose such messages were, so they are
        told for all applications together, in the admin. `GET /v1/notifications/{notification_id}` counts those of one.
        """
        at, caller = clock.now(), caller_of(request)
        asked = SpanQuery(data=request.query_params.dict(), context={"today": at.astimezone(UTC).date()})
        asked.is_valid(raise_exception=True)
        arms = Arm.objects.filter(run__campaign__application_id=caller.application_id, run__campaign__mode=caller.mode)
        parts = list(arms.exclude(letter=HOLD_OUT).values_list("id", flat=True))
        report = spans.of_span(By(asked.validated_data["by"]), asked.span(), parts)
        told = {
            "covers": "campaigns",
            "explanation": NOT_COVERED,
            "by": report.by.value,
            "since": asked.validated_data["since"],
            "until": asked.validated_data["until"],
            "lines": [_line("key", line.key, line.counted) | {"name": line.name} for line in report.lines],
            "total": summary.as_json(report.total),
        }
        return Response(SpanReportAnswer(told).data)


ROUTES: Final[list[URLPattern]] = [
    path("campaigns/<uuid:campaign_id>/report", CampaignReports.as_view(), name="campaign-report"),
    path("reports", SpanReports.as_view(), name="reports"),
]


def _told(report: CampaignReport) -> Mapping[str, Any]:
    return {
        "campaign": report.campaign.pk,
        "name": report.campaign.name,
        "run": report.run.pk if report.run else None,
        "people": report.people,
        "held_out": report.held_out,
        "total": summary.as_json(report.total),
        "variants": [_variant(one) for one in report.comparison.variants],
        "channels": [_line("channel", line.key, line.counted) for line in report.channels],
        "verdict": [*report.comparison.sentences, *([report.brought.sentence] if report.brought else [])],
        "hold_out": _hold_out(report.brought) if report.brought else None,
        "estimate": report.run.estimate or None if report.run else None,
        "runs": [
            {
                "id": line.run.pk,
                "planned_for": line.run.planned_for,
                "state": line.run.state,
                "winner": line.run.winner,
                "figures": summary.as_json(line.counted),
            }
            for line in report.runs
        ],
    }


def _variant(one: Variant) -> Mapping[str, Any]:
    return {
        "variant": one.letter,
        "template": one.template,
        "people": one.people,
        "reached": one.reached,
        "best": one.best,
        "of_reached": {
            name: {"rate": part.rate, "low": part.true.low, "high": part.true.high} for name, part in one.parts.items()
        },
        "figures": summary.as_json(one.counted),
    }


def _hold_out(one: Brought) -> Mapping[str, Any]:
    meant, held = one.found.reached, one.held_out
    return {
        "people": meant.people,
        "converted": meant.successes,
        "held_out": held.people,
        "held_out_converted": held.successes,
        "difference": one.found.difference,
        "low": one.found.low,
        "high": one.found.high,
        "helps": one.found.helps,
        "until": one.until,
    }


def _line(name: str, key: str, counted: Any) -> dict[str, Any]:
    return {name: key, "figures": summary.as_json(counted)}
