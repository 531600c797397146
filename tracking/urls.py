"""Addresses under /v1/ about what people do with messages."""

from django.urls import path

from tracking.api import conversions

urlpatterns = [
    path("conversions", conversions.Conversions.as_view(), name="conversions"),
]
