"""Who was meant at a moment: a segment as it was then, with all that its rules name, however deep.

What a run was started for, and what was approved, is not changed by whoever edits a segment meanwhile.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.models import Segment
from campaigns.segments.conditions import Where, where
from campaigns.segments.naming import Names, on_list, resolve
from campaigns.segments.reading import read
from campaigns.vocabulary import SegmentKind


def closure(segment: Segment) -> list[Segment]:
    """A segment and those that its rules name, however deep, in the order of their ids. Raises `UnusableRules`."""
    if segment.kind == SegmentKind.LIST:
        return [segment]
    names = resolve(read(segment.rules), segment.pk)
    return sorted([segment, *Segment.objects.filter(pk__in=list(names.segments))], key=lambda one: one.pk)


def kept(segment: Segment) -> dict[str, Any]:
    """All that says who is in a segment, as JSON: rules, and lists by their ids. Raises `UnusableRules`."""
    return {
        "of": str(segment.pk),
        "segments": {
            str(one.pk): {
                "name": one.name,
                "kind": one.kind,
                "rules": one.rules,
                "lists": [str(key) for key in one.lists],
            }
            for one in closure(segment)
        },
    }


def compiled(given: Mapping[str, Any], at: datetime) -> Where:
    """The condition for those who were meant, as `compiling.compiled` has it for a segment of now.

    Raises `UnusableRules` where a category or a campaign that is named is not there any more.
    """
    segments = {UUID(key): _segment(UUID(key), one) for key, one in given["segments"].items()}
    own = segments[UUID(given["of"])]
    if own.kind == SegmentKind.LIST:
        return where(on_list(own), Names(), at)
    tree = read(own.rules)
    return where(tree.root, resolve(tree, own.pk, segments), at)


def _segment(key: UUID, said: Mapping[str, Any]) -> Segment:
    lists = [UUID(one) for one in said["lists"]]
    return Segment(pk=key, name=said["name"], kind=said["kind"], rules=said["rules"], lists=lists)
