"""Notifications: what was asked for, and how far it got."""

from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from notifications.admin.keyset import LogAdmin, PlannedFilter
from notifications.models import Delivery, Notification


@admin.register(Notification)
class NotificationAdmin(LogAdmin):
    """Search by id."""

    list_display = ("id", "accepted", "version", "application", "mode", "urgency", "cancelled_at")
    list_filter = (PlannedFilter, "mode", "urgency")
    list_select_related = ("version__template", "application")
    search_fields = ("=id",)
    search_help_text = "The id of a notification."
    fields = (
        "progress",
        ("application", "mode"),
        ("version", "category"),
        "urgency",
        "data",
        ("send_at", "expires_at", "cancelled_at"),
    )

    def get_fields(self, request: HttpRequest, obj: Notification | None = None) -> Any:
        """Without the data, which may hold one-time codes, for those who see no addresses."""
        return [name for name in self.fields if name != "data" or request.user.has_perm("accounts.see_addresses")]

    @admin.display(description="accepted")
    def accepted(self, notification: Notification) -> str:
        """When it was accepted, to the second."""
        return f"{notification.accepted_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="deliveries")
    def progress(self, notification: Notification) -> SafeString:
        """How many deliveries are in which state, and the way to them."""
        counts = Delivery.objects.of(notification.id).order_by("state").values_list("state").annotate(count=Count("id"))
        return format_html(
            '<p>{}</p><p><a href="{}?q={}">See them</a></p>',
            format_html_join(", ", "{}: {}", counts) or "none",
            reverse("admin:notifications_delivery_changelist"),
            notification.id,
        )
