"""Audiences with a name."""

from typing import Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.ids import new_id
from accounts.models import Recipient
from accounts.models.kinds import choices, one_of
from campaigns.vocabulary import SegmentKind

#: The list that every segment has from the beginning.
FIRST_LIST: Final = UUID(int=0)


def first_list() -> list[UUID]:
    """The lists in force of a new segment."""
    return [FIRST_LIST]


class Segment(models.Model):
    """Whom a campaign is for: whoever meets some rules, or was in a file."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=5, choices=choices(SegmentKind), default=SegmentKind.RULES.value)
    rules = models.JSONField(default=dict, blank=True, help_text="A tree of rules; empty: everybody.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)
    lists = ArrayField(
        models.UUIDField(),
        default=first_list,
        db_default=first_list(),
        editable=False,
        help_text="The lists in force, of a segment from a file: whoever is on one of them is in it.",
    )

    class Meta:
        constraints = [models.CheckConstraint(name="segment_kind_known", condition=one_of("kind", SegmentKind))]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """Somebody who was in a file of a segment. They are in the segment while that list is in force."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members", db_index=False)
    list_id = models.UUIDField(default=FIRST_LIST, db_default=FIRST_LIST, help_text="The upload, or the first list.")
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="segment_member_once_a_list", fields=["segment", "recipient", "list_id"])
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id} in {self.segment_id}"
