"""Lists of tables that grow without end: no page of them counts rows, or passes over those of the pages before it.

A page begins after the row that the page before it ended with, which the index of the order finds at once, however far
down it lies. Where a filter has no index, a page looks at so many rows and no more, and offers to look further.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from accounts.admin.bases import ModelAdmin

AFTER, BEFORE = "after", "before"
#: Between the values of a key in a link.
_SEPARATOR: Final = "~"
#: Rows that one page looks at, where it keeps only some of them: a few milliseconds.
LOOKED_AT: Final = 20_000

_Key = tuple[Any, ...]


class KeysetList(ChangeList):
    """Pages that are told apart by the row where they begin, in the order that the admin names and no other."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Without the place in the list, which is no filter, and which links to filters must not keep."""
        for name in (AFTER, BEFORE):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows, and the way to the pages beside it."""
        back = BEFORE in request.GET
        written = request.GET.get(BEFORE if back else AFTER)
        cursor = self._read(written) if written else None
        order = _turned(self._order) if back else self._order
        rows = _beyond(self.queryset.order_by(*order), order, cursor)
        edge = self._edge(request, order, cursor)
        if edge:
            rows = _upto(rows, order, edge)
        found = list(rows[: self.list_per_page + 1])
        has_more, found = len(found) > self.list_per_page, found[: self.list_per_page]
        goes_on = self._key(found[-1]) if has_more else edge
        if back:
            found.reverse()
        came_from = (self._key(found[0]) if found else cursor) if cursor else None
        if back:
            came_from = self._key(found[-1]) if found else cursor
        self.earlier, self.later = (goes_on, came_from) if back else (came_from, goes_on)
        self.looks_further = bool(edge and not has_more)
        self.result_list = found
        self.result_count = self.full_result_count = len(found)
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = _Pages(found, self.list_per_page)

    @property
    def earlier_url(self) -> str:
        """The page before this one; empty on the first."""
        return self.get_query_string({BEFORE: _written(self.earlier)}) if self.earlier else ""

    @property
    def later_url(self) -> str:
        """The page after this one; empty on the last."""
        return self.get_query_string({AFTER: _written(self.later)}) if self.later else ""

    @property
    def first_url(self) -> str:
        """Where the list begins."""
        return self.get_query_string()

    @property
    def _order(self) -> tuple[str, ...]:
        return tuple(str(name) for name in self.model_admin.ordering or ())

    def _key(self, row: Model) -> _Key:
        return tuple(getattr(row, name.removeprefix("-")) for name in self._order)

    def _read(self, written: str) -> _Key:
        names = [name.removeprefix("-") for name in self._order]
        values = written.split(_SEPARATOR)
        try:
            fields: list[Any] = [self.opts.get_field(name) for name in names]
            return tuple(field.to_python(value) for field, value in zip(fields, values, strict=True))
        except (ValidationError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def _edge(self, request: HttpRequest, order: Sequence[str], cursor: _Key | None) -> _Key | None:
        """The key of the last row to look at; None where there are no more than that, or an index finds the rows."""
        if self.query or not self.get_filters_params():
            return None
        rows: Any = self.root_queryset
        for spec in self.filter_specs:
            if getattr(spec, "is_indexed", False):
                rows = spec.queryset(request, rows)
        names = [name.removeprefix("-") for name in order]
        rows = _beyond(rows.order_by(*order), order, cursor).select_related(None).values_list(*names)
        return next(iter(rows[LOOKED_AT - 1 : LOOKED_AT]), None)


class KeysetAdmin(ModelAdmin[Any]):
    """A list without an end. `ordering` names fields that an index serves, all in one direction, the last unique."""

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    ordering: ClassVar[tuple[str, ...]] = ("-id",)
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """Pages by key."""
        return KeysetList


class _Pages:
    """What stands where Django's paginator would: the theme asks it for the links below a list."""

    template_name = "admin/keyset_pages.html"

    def __init__(self, rows: Sequence[Any], per_page: int) -> None:
        self.count, self.per_page = len(rows), per_page


def _turned(order: Sequence[str]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _beyond(rows: QuerySet[Any], order: Sequence[str], cursor: _Key | None) -> QuerySet[Any]:
    return rows.filter(_compared(order, cursor, further=True)) if cursor else rows


def _upto(rows: QuerySet[Any], order: Sequence[str], edge: _Key) -> QuerySet[Any]:
    return rows.filter(_compared(order, edge, further=False))


def _compared(order: Sequence[str], key: _Key, *, further: bool) -> Q:
    """Rows beyond `key`, or up to it and with it, in an order of fields that all go one way."""
    sign = "lt" if order[0].startswith("-") == further else "gt"
    names = [name.removeprefix("-") for name in order]
    # said at first, so that the index of the first field bounds the scan
    bound = Q(**{f"{names[0]}__{sign}e": key[0]})
    ties, equal = Q(), Q()
    for place, (name, value) in enumerate(zip(names, key, strict=True)):
        is_last = place == len(names) - 1
        strict = sign if further or not is_last else f"{sign}e"
        ties |= equal & Q(**{f"{name}__{strict}": value})
        equal &= Q(**{name: value})
    return bound & ties if len(names) > 1 else ties


def _written(key: _Key) -> str:
    return _SEPARATOR.join(value.isoformat() if hasattr(value, "isoformat") else str(value) for value in key)
