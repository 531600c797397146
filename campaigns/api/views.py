"""The doors for programs: campaigns, how far they are, and how they are held or withdrawn."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import Caller, needs
from accounts.models import Scope
from campaigns import controlling, progress, reviewing
from campaigns.api import serializers
from campaigns.api.own import caller_of, campaign_of
from campaigns.models import Campaign, Run, Segment, Variant
from campaigns.vocabulary import LETTERS, RunState
from notifications.clock import clock
from templates_app.models import Template

#: Campaigns that a list shows.
_LISTED = 200


class NotPossible(APIException):
    """The campaign, or its run, is in no state for that."""

    status_code = status.HTTP_409_CONFLICT


class Campaigns(APIView):
    """All campaigns of an application."""

    def get_permissions(self) -> list[Any]:
        """To read them is one right, to write one another."""
        scope = Scope.CAMPAIGNS_READ if self.request.method == "GET" else Scope.CAMPAIGNS_WRITE
        return [needs(scope)()]

    @extend_schema(operation_id="campaigns_list", responses=serializers.CampaignsAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The latest campaigns of this application, the newest first."""
        caller = caller_of(request)
        found = Campaign.objects.filter(application_id=caller.application_id, mode=caller.mode).order_by("-id")
        return Response(serializers.CampaignsAnswer(found[:_LISTED], many=True).data)

    @extend_schema(
        operation_id="campaigns_create",
        request=serializers.CampaignRequest,
        responses={201: serializers.CampaignAnswer},
    )
    def post(self, request: Request) -> Response:
        """Write a campaign as a draft. Nothing goes out before it is started."""
        asked = serializers.CampaignRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        made = _made(asked, caller_of(request))
        return Response(_shown(made), status=status.HTTP_201_CREATED)


class CampaignDetail(APIView):
    """One campaign."""

    permission_classes = (needs(Scope.CAMPAIGNS_READ),)

    @extend_schema(operation_id="campaigns_retrieve", responses=serializers.CampaignAnswer)
    def get(self, request: Request, campaign_id: UUID) -> Response:
        """A campaign and its latest run: how far it is, how fast, and how long it will take."""
        return Response(_shown(campaign_of(request, campaign_id)))


class _Act(APIView):
    permission_classes = (needs(Scope.CAMPAIGNS_WRITE),)


class CampaignStart(_Act):
    """Let a draft go out."""

    @extend_schema(operation_id="campaigns_start", request=None, responses=serializers.CampaignAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Start a campaign, now or by its schedule. Where its category wants a second pair of eyes it waits for them.

        422 says all that is wrong with it; nothing starts then. 409 where it was started already, so that nothing goes
        out twice.
        """
        campaign = campaign_of(request, campaign_id)
        try:
            _possible(lambda: reviewing.start(campaign.id, clock.now(), by=None))
        except reviewing.NotReady as error:
            raise ValidationError(_by_field(error)) from None
        return Response(_shown(campaign_of(request, campaign_id)))


class CampaignStop(_Act):
    """No further run."""

    @extend_schema(operation_id="campaigns_stop", request=None, responses=serializers.CampaignAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Make a campaign a draft again: no further run of it begins until it is started anew.

        409 while a run is on its way, and for what is a draft.
        """
        campaign = campaign_of(request, campaign_id)
        _possible(lambda: reviewing.stop(campaign.id, clock.now(), by=None))
        return Response(_shown(campaign_of(request, campaign_id)))


class CampaignPause(_Act):
    """Hold a run."""

    @extend_schema(operation_id="campaigns_pause", request=None, responses=serializers.CampaignAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Hold the latest run: nothing more is planned, and nothing leaves. Repeating it changes nothing."""
        run = _run(request, campaign_id)
        _possible(lambda: controlling.pause(run.id, clock.now()))
        return Response(_shown(campaign_of(request, campaign_id)))


class CampaignResume(_Act):
    """Go on with a run."""

    @extend_schema(operation_id="campaigns_resume", request=None, responses=serializers.CampaignAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Go on where the latest run was held. Repeating it changes nothing."""
        run = _run(request, campaign_id)
        _possible(lambda: controlling.resume(run.id, clock.now()))
        return Response(_shown(campaign_of(request, campaign_id)))


class CampaignCancel(_Act):
    """Withdraw a run."""

    @extend_schema(operation_id="campaigns_cancel", request=None, responses=serializers.CancelledAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Withdraw what has not been sent of the latest run. Repeating it does no harm."""
        run = _run(request, campaign_id)
        return Response(asdict(_possible(lambda: controlling.withdraw(run.id, clock.now()))))


class CampaignRetry(_Act):
    """Another try for what failed."""

    @extend_schema(operation_id="campaigns_retry", request=None, responses={202: serializers.RetriedAnswer})
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Try again what failed in the latest run because every attempt did.

        They are queued again in the background, some thousand a second; `to_retry` of the run says how many still wait
        for it. Asking again meanwhile does no harm, and cancelling the run ends it.
        """
        run = _run(request, campaign_id)
        retried = _possible(lambda: controlling.retry_failed(run.id, clock.now()))
        return Response(asdict(retried), status=status.HTTP_202_ACCEPTED)


class CampaignChoose(_Act):
    """Decide an experiment."""

    @extend_schema(
        operation_id="campaigns_choose", request=serializers.WinnerRequest, responses=serializers.CampaignAnswer
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Send one variant to those who wait for the better one, without waiting for the numbers."""
        asked = serializers.WinnerRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        run = _run(request, campaign_id)
        _possible(lambda: controlling.choose(run.id, asked.validated_data["variant"], clock.now()))
        return Response(_shown(campaign_of(request, campaign_id)))


def _made(asked: serializers.CampaignRequest, caller: Caller) -> Campaign:
    given = asked.validated_data
    segment = Segment.objects.filter(name=given["segment"]).first()
    if segment is None:
        raise ValidationError(
            {"segment": f"There is no segment named {given['segment']!r}; GET /v1/segments lists them."}
        )
    names = [one["template"] for one in given["variants"]]
    templates = {one.name: one for one in Template.objects.filter(name__in=names)}
    missing = {
        f"variants[{place}].template": f"There is no template named {name!r}; GET /v1/templates lists them."
        for place, name in enumerate(names)
        if name not in templates
    }
    if missing:
        raise ValidationError(missing)
    try:
        with transaction.atomic():
            made = Campaign.objects.create(
                application_id=caller.application_id, mode=caller.mode, segment=segment, **asked.columns()
            )
            Variant.objects.bulk_create(
                [
                    Variant(campaign=made, letter=letter, template=templates[one["template"]], weight=one["weight"])
                    for letter, one in zip(LETTERS, given["variants"], strict=False)
                ]
            )
    except IntegrityError:
        raise ValidationError({"name": "There is a campaign of this name already; choose another."}) from None
    return made


def _possible(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except controlling.UnknownVariant as error:
        raise ValidationError({"variant": str(error)}) from None
    except (controlling.CannotDo, reviewing.NotAllowed) as error:
        raise NotPossible(str(error)) from None


def _by_field(error: reviewing.NotReady) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in error.problems:
        found.setdefault(problem.field, []).append(problem.message)
    return found


def _shown(campaign: Campaign) -> Any:
    run = _latest(campaign) or campaign.runs.select_related("campaign").order_by("-planned_for").first()
    far = progress.of(run, clock.now()) if run else None
    return serializers.CampaignAnswer(serializers.told(campaign, run, far)).data


def _latest(campaign: Campaign) -> Run | None:
    """The latest that went out: a moment that was skipped hides none that is on its way."""
    gone_out = campaign.runs.exclude(state=RunState.SKIPPED).select_related("campaign")
    return gone_out.order_by("-planned_for").first()


def _run(request: Request, campaign_id: UUID) -> Run:
    run = _latest(campaign_of(request, campaign_id))
    if run is None:
        raise NotPossible("It has not gone out yet: there is no run.")
    return run
