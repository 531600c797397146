"""Addresses of the pages that people reach by links in messages. Short: they stand in text messages, too."""

from django.urls import path

from accounts import pages

urlpatterns = [
    path("u/<str:token>", pages.unsubscribe, name="unsubscribe"),
    path("o/<str:token>", pages.opt_out, name="opt-out"),
    path("p/<str:token>", pages.preferences, name="preferences"),
]
