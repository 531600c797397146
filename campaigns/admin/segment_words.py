"""What the builder of rules knows: fields with their operators, and what can be chosen of."""

from typing import Any, Final

from django.db import connection

from accounts.channels import Channel, Platform
from accounts.models import Category
from campaigns.models import Campaign, Segment
from campaigns.segments.fields import FIELDS

#: Entries of one choice.
_MOST: Final = 500

#: Names of attributes, of the people who became known last.
_ATTRIBUTES: Final = """
    SELECT DISTINCT jsonb_object_keys(attributes)
      FROM (SELECT attributes FROM accounts_recipient ORDER BY id DESC LIMIT 1000) AS latest
     ORDER BY 1
     LIMIT 200
"""


def words(segment: Segment | None) -> dict[str, Any]:
    """For the builder of `segment`, or of a new one; a segment cannot name itself."""
    others = Segment.objects.exclude(pk=segment.pk) if segment else Segment.objects.all()
    with connection.cursor() as cursor:
        cursor.execute(_ATTRIBUTES)
        attributes = [name for (name,) in cursor.fetchall()]
    return {
        "fields": [
            {"name": name, "label": one.label, "operators": dict(one.operators), "also": list(one.also)}
            for name, one in FIELDS.items()
        ],
        "attributes": attributes,
        "platforms": [[one.value, one.value] for one in Platform],
        "channels": [[one.value, one.value] for one in Channel],
        "categories": _pairs(Category.objects.order_by("name").values_list("slug", "name")),
        "campaigns": _pairs(Campaign.objects.order_by("-id").values_list("pk", "name")),
        "segments": _pairs(others.order_by("name").values_list("pk", "name")),
    }


def _pairs(rows: Any) -> list[list[str]]:
    return [[str(key), name] for key, name in rows[:_MOST]]
