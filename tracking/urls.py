"""Addresses of what is learned of messages, below /v1/."""

from django.urls import path

from tracking.api import conversions, events

urlpatterns = [
    path("events", events.Events.as_view(), name="events"),
    path("conversions", conversions.Conversions.as_view(), name="conversions"),
]
