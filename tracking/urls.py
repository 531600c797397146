"""Addresses under /v1/ about what people do with messages."""

from django.urls import path

from tracking.api import events

urlpatterns = [
    path("events", events.Events.as_view(), name="events"),
]
