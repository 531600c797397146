"""Addresses that links and pictures in messages have. Short: they stand in text messages, too."""

from django.urls import path

from tracking import views

urlpatterns = [
    path("c/<str:token>", views.click, name="click"),
    path("e/<str:token>.gif", views.picture, name="picture"),
]
