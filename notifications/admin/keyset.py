"""Lists over the log: read only, and fast however long the log is."""

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.bases import ReadOnly
from accounts.admin.keyset import KeysetAdmin
from accounts.ids import floor_of
from notifications.clock import clock


class PlannedFilter(admin.SimpleListFilter):
    """The day on which a row was made, which its id says: a range of the primary key, in the partitions of those days.

    In UTC, as the partitions, and the figures of the home page, have it.
    """

    title = "day"
    parameter_name = "day"
    is_indexed = True

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        """What can be asked for."""
        return [("today", "Today"), ("yesterday", "Yesterday"), ("week", "Seven days")]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the days; all where nothing is asked for."""
        now = clock.now()
        midnight = datetime.combine(now.date(), time(), now.tzinfo)
        day = timedelta(days=1)
        match self.value():
            case "today":
                return rows.filter(id__gte=floor_of(midnight), id__lt=floor_of(midnight + day))
            case "yesterday":
                return rows.filter(id__gte=floor_of(midnight - day), id__lt=floor_of(midnight))
            case "week":
                return rows.filter(id__gte=floor_of(midnight - 6 * day), id__lt=floor_of(midnight + day))
            case _:
                return rows


class LogAdmin(ReadOnly, KeysetAdmin):
    """A model of the log: read only, newest first."""

    actions = None
