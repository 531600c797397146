"""Addresses of segments, below /v1/."""

from django.urls import path

from campaigns.api import segments

urlpatterns = [
    path("segments", segments.Segments.as_view(), name="segments"),
    path("segments/preview", segments.SegmentPreview.as_view(), name="segment-preview"),
    path("segments/<uuid:segment_id>", segments.SegmentDetail.as_view(), name="segment"),
]
