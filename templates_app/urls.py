"""Addresses under /v1/ about templates."""

from django.urls import path

from templates_app import api

urlpatterns = [
    path("templates", api.Templates.as_view(), name="templates"),
    path("templates/<slug:name>", api.TemplateDetail.as_view(), name="template"),
]
