"""Lists of any length, page by page: the thousandth page costs what the first does."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from accounts.strict import Strict


class PageQuery(Strict):
    """Which page of a list."""

    cursor = serializers.CharField(required=False, help_text="Where a page begins; `next` and `previous` have it.")
    page_size = serializers.IntegerField(min_value=1, max_value=1000, default=100)


class PageAnswer(serializers.Serializer[Any]):
    """One page of a list. Each list adds its own `results`."""

    next = serializers.CharField(allow_null=True, help_text="The address of the next page; null on the last.")
    previous = serializers.CharField(allow_null=True, help_text="The address of the page before; null on the first.")


class Pages(ABC, CursorPagination):
    """Pages by a column with an index. What has the column of the list says how a place in it is read."""

    page_size_query_param = "page_size"
    page_size = 100
    max_page_size = 1000

    @abstractmethod
    def read_place(self, position: str) -> object:
        """The value of the column that a cursor names. Raises `ValueError` for anything that is none."""

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The place that a cursor names; anybody can write one, so what is no place is refused here."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                self.read_place(str(cursor.position))
            except ValueError:
                raise NotFound(self.invalid_cursor_message) from None
        return cursor


class OldestFirst(Pages):
    """Pages through the log by id."""

    ordering = "id"

    def read_place(self, position: str) -> UUID:
        """An id."""
        return UUID(position)


class NewestFirst(OldestFirst):
    """Pages by id, the other way round."""

    ordering = "-id"


class LatestFirst(Pages):
    """Pages by the moment that something is for, of which no two have the same."""

    ordering = "-planned_for"

    def read_place(self, position: str) -> datetime:
        """A moment, with its zone."""
        moment = parse_datetime(position)
        if moment is None or moment.tzinfo is None:
            raise ValueError(position)
        return moment
