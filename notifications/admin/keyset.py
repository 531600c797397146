"""Lists over the log that stay fast: nothing is counted beyond what people page through."""

from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts.admin.bases import ModelAdmin


class BoundedPaginator(Paginator[Any]):
    """Counts and pages through the newest rows only: as far as anybody pages. A search finds what lies beyond.

    A COUNT over the log would read all of it.
    """

    #: Rows that can be paged to.
    furthest = 2_500

    @cached_property
    def count(self) -> int:
        """How many rows there are, up to `furthest`."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows[: self.furthest].count()


class LogAdmin(ModelAdmin[Any]):
    """A model of the log: read only, never counted, newest first."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    ordering = ("-id",)
    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the pipeline writes the log."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the pipeline writes the log."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Retention drops whole days; nobody deletes a line."""
        return False
