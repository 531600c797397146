"""Addresses for operators and their tools."""

from django.urls import path

from notifications.api import operations

urlpatterns = [
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("readyz/requests", operations.readyz_requests, name="readyz-requests"),
    path("metrics", operations.metrics, name="metrics"),
]
