"""Who is in a segment: what the SQL finds is what the rules mean."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.ids import floor_of
from campaigns.models import Segment, SegmentMember
from campaigns.segments import compiling
from campaigns.segments.reading import read
from tests.builders import person
from tests.campaigns.segments import worlds
from tests.campaigns.segments.plainly import NOW, meets

pytestmark = pytest.mark.django_db


# Nothing is shrunk, which would take minutes: the rules that failed are told.
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_the_sql_finds_whom_the_rules_mean(data: Any) -> None:
    with transaction.atomic():
        seen = worlds.world()
        everybody = data.draw(worlds.people())
        keys = {worlds.write(one, seen): one for one in everybody}
        for _ in range(25):
            rules = data.draw(worlds.rules(seen))
            tree = read(rules).root

            found = compiling.page_ids(compiling.checked(rules, NOW), None, floor_of(NOW), 100)

            assert [keys[key].name for key in found] == [
                one.name for key, one in sorted(keys.items()) if meets(tree, one, seen)
            ], rules
        transaction.set_rollback(True)


def soon() -> Any:
    return floor_of(timezone.now() + timedelta(seconds=1))


def test_pages_hold_everybody_who_is_counted() -> None:
    for name, country in (("ann", "KR"), ("bob", "KR"), ("cem", "TR"), ("a_b", "KR")):
        person(name, country=country)
    rules = {
        "all": [
            {"field": "country", "is": "is", "value": "KR"},
            {"not": {"field": "external_id", "is": "begins with", "value": "a_"}},
        ]
    }
    segment, before = Segment(rules=rules), soon()

    first = compiling.page_ids(segment, None, before, 1)
    rest = compiling.page_ids(segment, first[-1], before, 10)

    assert compiling.count(segment, before) == len(first + rest) == 2
    assert compiling.count(Segment(), before) == 4
    assert [one.external_id for one in compiling.sample(segment, before, 1)] == ["bob"]


def test_a_list_holds_who_was_in_its_file() -> None:
    segment = Segment.objects.create(name="VIPs", kind="list")
    SegmentMember.objects.create(segment=segment, recipient=person("ann"))
    person("bob")

    assert compiling.count(segment, soon()) == 1


def test_who_became_known_after_the_moment_is_not_in_it() -> None:
    before = floor_of(timezone.now())
    person("late")

    assert compiling.count(Segment(), before) == 0
