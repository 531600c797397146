"""Entries of a batch: each is read by itself, so that a bad one spoils nothing."""

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for an entry that cannot be stored, as a request's parser found; `detail` says why, field by field.

    It is no value that any serializer takes, so an entry that nobody asked about is refused all the same.
    """

    detail: Any


class Entry(serializers.JSONField):
    """One of many, of which nothing is asked before it is its turn."""

    def __init__(self) -> None:
        super().__init__(allow_null=True)

    def to_internal_value(self, data: Any) -> Any:
        """As it came; a parser has read it, or found that it cannot be."""
        return data


def what_is_wrong(asked: serializers.Serializer[Any]) -> Any | None:
    """What is wrong with an entry, as its serializer or the parser says it; None where nothing is."""
    if isinstance(asked.initial_data, Unreadable):
        return asked.initial_data.detail
    return None if asked.is_valid() else asked.errors
