"""Pages of what came of campaigns, for the admin of campaigns to take in: `class CampaignAdmin(Reports, …)`."""

from django.urls import URLPattern

from campaigns.admin.campaign_report import CampaignReports
from campaigns.admin.exports import Exports
from campaigns.admin.span_report import SpanReports


class Reports(CampaignReports, SpanReports, Exports):
    """The report of a campaign, those of spans of days, and files of deliveries."""

    def report_urls(self) -> list[URLPattern]:
        """Their addresses; they come before those of campaigns."""
        return [*self.span_urls(), *self.campaign_report_urls(), *self.export_urls()]
