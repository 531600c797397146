"""The doors for programs: campaigns, how far they are, and how they are started and stopped."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import Caller, needs
from accounts.models import Scope
from campaigns import reviewing
from campaigns.api import serializers
from campaigns.api.own import caller_of, campaign_of, campaigns_of
from campaigns.api.refusing import possible
from campaigns.api.showing import shown, started_shown
from campaigns.models import Campaign, Run, Segment, Variant
from campaigns.vocabulary import LETTERS, UNFINISHED
from notifications.api.paging import NewestFirst
from notifications.clock import clock
from templates_app.models import Template


class Campaigns(APIView):
    """All campaigns of an application."""

    def get_permissions(self) -> list[Any]:
        """To read them is one right, to write one another."""
        scope = Scope.CAMPAIGNS_READ if self.request.method == "GET" else Scope.CAMPAIGNS_WRITE
        return [needs(scope)()]

    @extend_schema(
        operation_id="campaigns_list",
        parameters=[serializers.CampaignsQuery],
        responses=serializers.CampaignsAnswer,
    )
    def get(self, request: Request) -> Response:
        """The campaigns of this application, the newest first. `next` is the address of the next page."""
        asked = serializers.CampaignsQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        going = Run.objects.filter(campaign=OuterRef("pk"), state__in=sorted(UNFINISHED))
        found = campaigns_of(request).annotate(under_way=Exists(going))
        if state := asked.validated_data.get("state"):
            found = found.filter(state=state)
        if name := asked.validated_data.get("name"):
            found = found.filter(name__startswith=name)
        pages = NewestFirst()
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(serializers.CampaignLineAnswer(page, many=True).data)

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
        return Response(shown(made), status=status.HTTP_201_CREATED)


class CampaignDetail(APIView):
    """One campaign."""

    permission_classes = (needs(Scope.CAMPAIGNS_READ),)

    @extend_schema(operation_id="campaigns_retrieve", responses=serializers.CampaignAnswer)
    def get(self, request: Request, campaign_id: UUID) -> Response:
        """A campaign: all that was written, and its latest run: how far it is, how fast, how long it will take."""
        return Response(shown(campaign_of(request, campaign_id)))


class _Act(APIView):
    permission_classes = (needs(Scope.CAMPAIGNS_WRITE),)


class CampaignStart(_Act):
    """Let a draft go out."""

    @extend_schema(
        operation_id="campaigns_start", request=serializers.StartRequest, responses=serializers.StartedAnswer
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Start a campaign, now or by its schedule. Where its category wants a second pair of eyes it waits for them.

        The answer tells how many people are in its segment, and what a person would have been warned of. 422 says all
        that is wrong with it; nothing starts then. 409 where it was started already, so that nothing goes out twice;
        and where `seen` is given and it, its segment or its texts were changed since they were read.
        """
        asked = serializers.StartRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        seen = asked.validated_data.get("seen")
        campaign = campaign_of(request, campaign_id)
        started = possible(lambda: reviewing.start(campaign.id, clock.now(), by=None, seen=seen))
        return Response(started_shown(campaign_of(request, campaign_id), started.found))


class CampaignStop(_Act):
    """No further run."""

    @extend_schema(operation_id="campaigns_stop", request=None, responses=serializers.CampaignAnswer)
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Make a campaign a draft again: no further run of it begins until it is started anew.

        409 while a run is on its way, and for what is a draft.
        """
        campaign = campaign_of(request, campaign_id)
        possible(lambda: reviewing.stop(campaign.id, clock.now(), by=None))
        return Response(shown(campaign_of(request, campaign_id)))


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
