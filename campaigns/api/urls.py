"""Addresses of campaigns, below /v1/."""

from django.urls import path

from campaigns.api import acting, reports, runs, segment_urls, views

urlpatterns = [
    *segment_urls.urlpatterns,
    path("campaigns", views.Campaigns.as_view(), name="campaigns"),
    path("campaigns/<uuid:campaign_id>", views.CampaignDetail.as_view(), name="campaign"),
    path("campaigns/<uuid:campaign_id>/start", views.CampaignStart.as_view(), name="campaign-start"),
    path("campaigns/<uuid:campaign_id>/stop", views.CampaignStop.as_view(), name="campaign-stop"),
    *acting.ROUTES,
    *runs.ROUTES,
    *reports.ROUTES,
]
