"""Audiences with a name."""

from django.db import models
from django.db.models.functions import Now

from accounts.ids import new_id
from accounts.models import Recipient
from accounts.models.kinds import choices, one_of
from campaigns.vocabulary import SegmentKind


class Segment(models.Model):
    """Whom a campaign is for: whoever meets some rules, or was in a file."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=5, choices=choices(SegmentKind), default=SegmentKind.RULES.value)
    rules = models.JSONField(default=dict, blank=True, help_text="A tree of rules; empty: everybody.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.CheckConstraint(name="segment_kind_known", condition=one_of("kind", SegmentKind))]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """Somebody who was in the file of a segment."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(name="segment_member_once", fields=["segment", "recipient"])]

    def __str__(self) -> str:
        return f"{self.recipient_id} in {self.segment_id}"
