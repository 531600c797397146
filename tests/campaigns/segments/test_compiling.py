"""Who is in a segment."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.ids import floor_of
from campaigns.models import Segment, SegmentMember
from campaigns.segments import compiling
from tests.builders import person

pytestmark = pytest.mark.django_db


def test_pages_hold_everybody_who_is_counted() -> None:
    for name, country in (("ann", "KR"), ("bob", "KR"), ("cem", "TR"), ("a_b", "KR")):
        person(name, country=country)
    before = floor_of(timezone.now() + timedelta(seconds=1))
    rules = {
        "all": [
            {"field": "country", "is": "one of", "value": ["KR"]},
            {"not": {"field": "external_id", "is": "begins with", "value": "a_"}},
        ]
    }
    segment = Segment(rules=rules)

    first = compiling.page_ids(segment, None, before, 1)
    rest = compiling.page_ids(segment, first[-1], before, 10)

    assert compiling.count(segment, before) == len(first + rest) == 2
    assert compiling.count(Segment(), before) == 4


def test_a_list_holds_who_was_in_its_file() -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")
    SegmentMember.objects.create(segment=segment, recipient=person("ann"))
    person("bob")

    assert compiling.count(segment, floor_of(timezone.now() + timedelta(seconds=1))) == 1
