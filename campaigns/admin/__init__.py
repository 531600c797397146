"""The doors for people: one module a subject."""

from campaigns.admin.campaigns import CampaignAdmin
from campaigns.admin.runs import RunAdmin

__all__ = ["CampaignAdmin", "RunAdmin"]
