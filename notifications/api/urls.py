"""Addresses of notifications, deliveries and webhooks, below /v1/."""

from django.urls import path

from notifications.api import events, privacy, views, webhooks

urlpatterns = [
    path("notifications", views.Notifications.as_view(), name="notifications"),
    path("notifications/batch", views.NotificationBatches.as_view(), name="notification-batches"),
    path("notifications/<uuid:notification_id>", views.NotificationDetail.as_view(), name="notification"),
    path(
        "notifications/<uuid:notification_id>/deliveries",
        views.NotificationDeliveries.as_view(),
        name="notification-deliveries",
    ),
    path("notifications/<uuid:notification_id>/cancel", views.NotificationCancel.as_view(), name="notification-cancel"),
    path("notifications/<uuid:notification_id>/replay", views.NotificationReplay.as_view(), name="notification-replay"),
    path("deliveries/<uuid:delivery_id>", views.DeliveryDetail.as_view(), name="delivery"),
    path("deliveries/<uuid:delivery_id>/events", events.DeliveryEvents.as_view(), name="delivery-events"),
    path("recipients/<str:external_id>", privacy.Person.as_view(), name="recipient"),
    path("recipients/<str:external_id>/export", privacy.PersonExport.as_view(), name="recipient-export"),
    path("webhooks/<slug:account>", webhooks.callback, name="webhook"),
    path("webhooks/<slug:account>/inbound", webhooks.inbound, name="webhook-inbound"),
    path("webhooks/<slug:account>/<uuid:delivery_id>", webhooks.callback, name="webhook-delivery"),
]
