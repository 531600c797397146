"""Whose a request is, and which campaign of theirs it is about."""

from uuid import UUID

from django.http import Http404
from rest_framework.request import Request

from accounts.authentication import Caller
from campaigns.models import Campaign


def caller_of(request: Request) -> Caller:
    """The application that asks, and whether with a key for tests."""
    caller: object = request.user
    assert isinstance(caller, Caller)
    return caller


def campaign_of(request: Request, campaign_id: UUID) -> Campaign:
    """The application's own campaign, of the mode of its key; anybody else's is not there. Raises `Http404`."""
    caller = caller_of(request)
    found = Campaign.objects.select_related("segment").filter(
        pk=campaign_id, application_id=caller.application_id, mode=caller.mode
    )
    campaign = found.first()
    if campaign is None:
        raise Http404
    return campaign
