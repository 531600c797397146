"""Lists over the log that stay fast: no COUNT, no OFFSET."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.http import HttpRequest


class UncountedPaginator(Paginator[Any]):
    """Pages of a list whose length nobody asks for: the number of rows is never more than one page beyond this one.

    A COUNT over the log would read all of it.
    """

    #: As far as paging goes; a search finds what lies beyond.
    furthest = 50

    @property
    def count(self) -> int:
        """An upper bound that lets people page on for a while."""
        return self.furthest * self.per_page

    def page(self, number: int | str) -> Page[Any]:
        """One page, read with one row more than it shows."""
        number = min(max(int(number), 1), self.furthest)
        start = (number - 1) * self.per_page
        return Page(self.object_list[start : start + self.per_page], number, self)


class LogAdmin(admin.ModelAdmin[Any]):
    """A model of the log: read only, never counted, newest first."""

    paginator = UncountedPaginator
    show_full_result_count = False
    list_per_page = 50
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
