"""Batches: what still has to be done."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.keyset import KeysetAdmin
from notifications.models import Batch


@admin.register(Batch)
class BatchAdmin(KeysetAdmin):
    """Read only: workers and the sweep own these rows."""

    list_display = ("id", "lane", "size", "due_at", "lease_until")
    list_filter = ("lane",)
    ordering = ("id",)
    actions = None
    fields = ("lane", "size", "due_at", "lease_id", "lease_until")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the pipeline writes batches."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the pipeline writes batches."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting one would lose its deliveries."""
        return False
