"""Columns that hold one word of a few."""

from enum import StrEnum

from django.db.models import Q


def choices(kinds: type[StrEnum]) -> dict[str, str]:
    """The words, and how people read them."""
    return {kind.value: kind.name.replace("_", " ").capitalize() for kind in kinds}


def one_of(field: str, kinds: type[StrEnum]) -> Q:
    """The condition that a column holds one of the words."""
    return Q(**{f"{field}__in": [kind.value for kind in kinds]})
