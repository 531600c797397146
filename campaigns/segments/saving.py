"""Segments are written and deleted here, for people and programs: what cannot be used is not saved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from campaigns.models import Segment
from campaigns.segments.compiling import checked
from campaigns.segments.looking import used_by
from campaigns.vocabulary import SegmentKind


class NameTaken(Exception):
    """Another segment has this name."""


class InUse(Exception):
    """A campaign or another segment is for it; the message says which."""


class NotRules(Exception):
    """A list has no rules; who is on it is changed by a file."""


def create(name: str, rules: Any, at: datetime) -> Segment:
    """A segment of whoever meets `rules`. Raises `UnusableRules` and `NameTaken`."""
    checked(rules, at)
    return _saved(Segment(name=name, rules=rules))


def change(segment: Segment, name: str, rules: Any | None, at: datetime) -> Segment:
    """Another name and, for a segment of rules, other rules. Raises `UnusableRules`, `NameTaken` and `NotRules`.

    Campaigns for it that have not begun go to whom it means when they begin.
    """
    if segment.kind == SegmentKind.LIST and rules is not None:
        raise NotRules
    if rules is not None:
        checked(rules, at, own=segment.pk)
        segment.rules = rules
    segment.name = name
    segment.changed_at = at
    return _saved(segment, "name", "rules", "changed_at")


def delete(segment: Segment) -> None:
    """Delete it, where nobody uses it. Raises `InUse`."""
    with transaction.atomic():
        lock([segment.pk])
        if use := str(used_by(segment)):
            raise InUse(f"It is used by {use}.")
        segment.delete()


def lock(segments: Sequence[UUID]) -> None:
    """Wait for a step in which one of them is read, and let no other begin, as long as the transaction lasts."""
    list(Segment.objects.select_for_update().filter(pk__in=segments).order_by("pk"))


def _saved(segment: Segment, *columns: str) -> Segment:
    """Its lists may change meanwhile: of one that is known, what was written is saved alone."""
    try:
        with transaction.atomic():
            segment.save(update_fields=columns or None)
    except IntegrityError:
        raise NameTaken from None
    return segment
