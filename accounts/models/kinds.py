"""Columns that hold one word of a few, and questions for many values at once."""

from collections.abc import Iterable
from enum import StrEnum

from django.db.models import BooleanField, F, Func, Q, Value


def choices(kinds: type[StrEnum]) -> dict[str, str]:
    """The words, and how people read them."""
    return {kind.value: kind.name.replace("_", " ").capitalize() for kind in kinds}


def one_of(field: str, kinds: type[StrEnum]) -> Q:
    """The condition that a column holds one of the words."""
    return Q(**{f"{field}__in": [kind.value for kind in kinds]})


def any_of(column: str, values: Iterable[str]) -> Func:
    """The condition that a column holds one of many texts, as one array: `IN` takes thousands apart, one by one."""
    parts = F(column), Value(list(values))
    return Func(*parts, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField())
