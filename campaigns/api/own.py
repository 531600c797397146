"""Whose a request is, and which campaign or run of theirs it is about."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request

from accounts.authentication import Caller
from campaigns.models import Campaign, Run


def caller_of(request: Request) -> Caller:
    """The application that asks, and whether with a key for tests."""
    caller: object = request.user
    assert isinstance(caller, Caller)
    return caller


def campaigns_of(request: Request) -> QuerySet[Campaign]:
    """The application's own campaigns, of the mode of its key."""
    caller = caller_of(request)
    return Campaign.objects.filter(application_id=caller.application_id, mode=caller.mode)


def campaign_of(request: Request, campaign_id: UUID) -> Campaign:
    """The application's own campaign, of the mode of its key; anybody else's is not there. Raises `Http404`."""
    campaign = campaigns_of(request).select_related("segment").filter(pk=campaign_id).first()
    if campaign is None:
        raise Http404
    return campaign


def run_of(request: Request, campaign_id: UUID, run_id: UUID) -> Run:
    """A run of the application's own campaign, which comes along. Raises `Http404`."""
    run = campaign_of(request, campaign_id).runs.select_related("campaign").filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run
