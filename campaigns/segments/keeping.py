"""Who was meant at a moment: a segment as it was then, with all that its rules name, however deep.

What a run was started for, and what was approved, is not changed by whoever edits a segment meanwhile.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.models import Segment
from campaigns.segments.conditions import Where, where
from campaigns.segments.naming import Names, resolve
from campaigns.segments.reading import read
from campaigns.segments.rules import OnList
from campaigns.vocabulary import SegmentKind


def closure(segment: Segment) -> list[Segment]:
    """A segment and those that its rules name, however deep, in the order of their ids. Raises `UnusableRules`."""
    if segment.kind == SegmentKind.LIST:
        return [segment]
    names = resolve(read(segment.rules), segment.pk)
    return sorted([segment, *Segment.objects.filter(pk__in=list(names.segments))], key=lambda one: one.pk)


def kept(segment: Segment) -> dict[str, Any]:
    """All that says who is in a segment, as JSON. Raises `UnusableRules`.

    Of a list its moment alone: that is too long to be copied, so `changed_list` tells whether it is still the same.
    """
    return {
        "of": str(segment.pk),
        "segments": {
            str(one.pk): {
                "name": one.name,
                "kind": one.kind,
                "rules": one.rules,
                "changed_at": one.changed_at.isoformat(),
            }
            for one in closure(segment)
        },
    }


def compiled(given: Mapping[str, Any], at: datetime) -> Where:
    """The condition for those who were meant, as `compiling.compiled` has it for a segment of now.

    Raises `UnusableRules` where a category or a campaign that is named is not there any more.
    """
    segments = _segments(given)
    own = segments[UUID(given["of"])]
    if own.kind == SegmentKind.LIST:
        return where(OnList(own.pk), Names(), at)
    tree = read(own.rules)
    return where(tree.root, resolve(tree, own.pk, segments), at)


def changed_list(given: Mapping[str, Any]) -> str:
    """The name of a list that says something else now; empty where all are as they were."""
    lists = {key: one for key, one in _segments(given).items() if one.kind == SegmentKind.LIST}
    if not lists:
        return ""
    now = dict(Segment.objects.filter(pk__in=lists).values_list("pk", "changed_at"))
    return next((one.name for key, one in lists.items() if now.get(key) != one.changed_at), "")


def _segments(given: Mapping[str, Any]) -> dict[UUID, Segment]:
    return {
        UUID(key): Segment(
            pk=UUID(key),
            name=one["name"],
            kind=one["kind"],
            rules=one["rules"],
            changed_at=datetime.fromisoformat(one["changed_at"]),
        )
        for key, one in given.get("segments", {}).items()
    }
