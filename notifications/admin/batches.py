"""Batches: what still has to be done."""

from django.contrib import admin

from accounts.admin.bases import ReadOnly
from accounts.admin.keyset import KeysetAdmin
from notifications.models import Batch


@admin.register(Batch)
class BatchAdmin(ReadOnly, KeysetAdmin):
    """Read only: workers and the sweep own these rows."""

    list_display = ("id", "lane", "size", "due_at", "lease_until")
    list_filter = ("lane",)
    ordering = ("id",)
    actions = None
    fields = ("lane", "size", "due_at", "lease_id", "lease_until")
