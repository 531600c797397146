"""Addresses under /v1/ about people."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("recipients/<str:external_id>/devices", api.RecipientDevices.as_view(), name="recipient-devices"),
    path(
        "recipients/<str:external_id>/devices/<uuid:device_id>", api.RecipientDevice.as_view(), name="recipient-device"
    ),
    path("recipients/<str:external_id>/preferences", api.RecipientPreferences.as_view(), name="recipient-preferences"),
]
