"""Addresses of campaigns, below /v1/."""

from django.urls import path

from campaigns.api import reports, runs, segment_urls, views

urlpatterns = [
    *segment_urls.urlpatterns,
    path("campaigns", views.Campaigns.as_view(), name="campaigns"),
    path("campaigns/<uuid:campaign_id>", views.CampaignDetail.as_view(), name="campaign"),
    path("campaigns/<uuid:campaign_id>/start", views.CampaignStart.as_view(), name="campaign-start"),
    path("campaigns/<uuid:campaign_id>/stop", views.CampaignStop.as_view(), name="campaign-stop"),
    path("campaigns/<uuid:campaign_id>/pause", views.CampaignPause.as_view(), name="campaign-pause"),
    path("campaigns/<uuid:campaign_id>/resume", views.CampaignResume.as_view(), name="campaign-resume"),
    path("campaigns/<uuid:campaign_id>/cancel", views.CampaignCancel.as_view(), name="campaign-cancel"),
    path("campaigns/<uuid:campaign_id>/retry", views.CampaignRetry.as_view(), name="campaign-retry"),
    path("campaigns/<uuid:campaign_id>/choose", views.CampaignChoose.as_view(), name="campaign-choose"),
    *runs.ROUTES,
    *reports.ROUTES,
]
