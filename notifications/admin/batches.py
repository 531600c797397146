"""Batches: what still has to be done."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.bases import ModelAdmin
from notifications.models import Batch


@admin.register(Batch)
class BatchAdmin(ModelAdmin[Batch]):
    """Read only: workers and the sweep own these rows."""

    list_display = ("id", "lane", "size", "due_at", "lease_until")
    list_filter = ("lane",)
    ordering = ("due_at",)
    show_full_result_count = False
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
