"""What PostgreSQL can keep as JSON: the check agrees with the database."""

from typing import Any

import pytest
from django.db import DataError, transaction

from accounts import storable
from accounts.models import Recipient
from tests.builders import person

pytestmark = pytest.mark.django_db

CASES: list[tuple[str, Any, bool]] = [
    ("texts, numbers and nothing", {"a": ["가", 1, 2.5, None, True]}, True),
    ("every other control character", "".join(map(chr, range(1, 32))), True),
    ("a backslash and what looks like NUL", "\\u0000", True),
    ("two backslashes and what looks like NUL", "\\\\u0000", True),
    ("NUL", "\0", False),
    ("NUL behind a backslash", "\\\0", False),
    ("NUL behind two backslashes", "\\\\\0", False),
    ("NUL in a name", {"a\0": 1}, False),
    ("half a surrogate pair", ["\ud800"], False),
    ("not a number", float("nan"), False),
    ("infinity", {"a": float("inf")}, False),
]


@pytest.mark.parametrize(("value", "is_storable"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_check_agrees_with_the_database(value: Any, is_storable: bool) -> None:
    jimin = person()

    if is_storable:
        storable.check(value)
        Recipient.objects.filter(pk=jimin.pk).update(attributes={"value": value})
        jimin.refresh_from_db()
        assert jimin.attributes == {"value": value}
        return
    with pytest.raises(storable.NotStorable):
        storable.check(value)
    with pytest.raises(DataError), transaction.atomic():
        Recipient.objects.filter(pk=jimin.pk).update(attributes={"value": value})
