"""The doors for people: one module a subject."""

from campaigns.admin.campaigns import CampaignAdmin
from campaigns.admin.runs import RunAdmin
from campaigns.admin.segments import SegmentAdmin

__all__ = ["CampaignAdmin", "RunAdmin", "SegmentAdmin"]
