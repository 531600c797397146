"""What came of one moment of a campaign: the run, its arms, and the frozen audience in chunks."""

from typing import Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id
from accounts.models.kinds import choices, one_of
from campaigns.models.campaigns import Campaign
from campaigns.vocabulary import HOLD_OUT, LETTERS, UNFINISHED, ChunkState, RunState

#: People who are planned in one transaction.
CHUNK_SIZE: Final = 1000


class Run(models.Model):
    """One going-out of a campaign. Whoever comes for a moment second finds that it has its run."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="runs", db_index=False)
    planned_for = models.DateTimeField(help_text="The moment of the schedule that it is for.")
    state = models.CharField(max_length=9, choices=choices(RunState), default=RunState.STARTING.value)
    #: What it was before it was paused.
    paused_from = models.CharField(max_length=9, choices=choices(RunState), blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    frozen_at = models.DateTimeField(null=True, help_text="When the last of its audience was written down.")
    tested_at = models.DateTimeField(null=True, help_text="When the last of the test was planned.")
    decided_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    frozen_to = models.UUIDField(null=True, help_text="The last recipient who was written down.")
    lease_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    people = models.PositiveIntegerField(default=0, help_text="The size of its audience, as far as it is frozen.")
    next_chunk_at = models.DateTimeField(null=True, help_text="When the next chunk may be planned.")
    audience = models.JSONField(
        default=dict, db_default={}, help_text="Who was meant when it began: its segment, and those that it names."
    )
    seats = models.JSONField(
        default=list, db_default=[], help_text="By everybody's own clock, with a throttle: which seats are taken."
    )
    holdout_percent = models.PositiveSmallIntegerField(default=0, help_text="What its campaign said when it began.")
    test_percent = models.PositiveSmallIntegerField(default=100, help_text="What its campaign said when it began.")
    shares = models.JSONField(default=dict, help_text="What each variant gets now: letter, share.")
    winner = models.CharField(max_length=1, blank=True, default="")
    decided_on = models.JSONField(
        default=dict, db_default={}, help_text="What the test had come to when the winner was chosen: letter, counts."
    )
    estimate = models.JSONField(default=dict, help_text="What was expected before the start.")
    note = models.CharField(max_length=300, blank=True, default="")
    retry_asked_at = models.DateTimeField(null=True, help_text="When it was last asked to try again what had failed.")
    to_retry = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many of those wait to be queued again; 0 once none is left."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="run_once", fields=["campaign", "planned_for"]),
            models.CheckConstraint(name="run_state_known", condition=one_of("state", RunState)),
            models.CheckConstraint(
                name="run_lease_whole",
                condition=Q(lease_id__isnull=True, lease_until__isnull=True)
                | Q(lease_id__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            # workers ask for what is unfinished
            models.Index(
                fields=["id"], name="run_unfinished", condition=Q(state__in=sorted(one.value for one in UNFINISHED))
            ),
            # and for those of which something is tried again
            models.Index(fields=["retry_asked_at"], name="run_to_retry", condition=Q(to_retry__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} of {self.planned_for.astimezone(self.campaign.clock):%Y-%m-%d %H:%M}"

    def notification_ids(self) -> list[UUID]:
        """The notification of each of its arms, in the order of their letters."""
        found = self.arms.exclude(notification_id=None).order_by("letter").values_list("notification_id", flat=True)
        return [one for one in found if one is not None]


class Arm(models.Model):
    """What one variant came to in a run: one notification, of which every delivery of it is. None for the hold-out."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="arms", db_index=False)
    letter = models.CharField(max_length=1, choices={letter: letter for letter in (*LETTERS, HOLD_OUT)})
    template = models.CharField(max_length=80, blank=True, default="", help_text="Its name at the time.")
    version_id = models.UUIDField(null=True)
    notification_id = models.UUIDField(null=True, unique=True)
    weight = models.PositiveSmallIntegerField(default=1)
    people = models.PositiveIntegerField(default=0, help_text="Recipients planned so far.")

    class Meta:
        constraints = [models.UniqueConstraint(name="arm_once", fields=["run", "letter"])]

    def __str__(self) -> str:
        return self.letter


class Chunk(models.Model):
    """Up to a thousand people of a frozen audience, planned in one transaction by whoever takes it first.

    Their ids are sorted, the first of them after `after_id`. In a phase each chunk begins where another ended, and none
    begins where another does: nobody is in two. Phase 2 holds those who wait for the better variant.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    phase = models.PositiveSmallIntegerField(default=1)
    after_id = models.UUIDField()
    recipient_ids = ArrayField(models.UUIDField())
    state = models.CharField(max_length=7, choices=choices(ChunkState), default=ChunkState.OPEN.value)
    lease_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    planned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="chunk_once", fields=["run", "phase", "after_id"]),
            models.CheckConstraint(name="chunk_state_known", condition=one_of("state", ChunkState)),
            models.CheckConstraint(
                name="chunk_lease_whole",
                condition=Q(lease_id__isnull=True, lease_until__isnull=True)
                | Q(lease_id__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            # a worker takes the first that is open
            models.Index(
                fields=["run", "phase", "after_id"], name="chunk_open", condition=Q(state=ChunkState.OPEN.value)
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.recipient_ids)} after {self.after_id}"


class Sample(models.Model):
    """How far a run was at a moment: what its charts are drawn from."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="samples", db_index=False)
    at = models.DateTimeField()
    counts = models.JSONField(help_text="What was counted by then: planned, sent, delivered, opened, clicked, …")
    reached = models.JSONField(default=dict, help_text="How many of each arm something had left for: letter, people.")

    class Meta:
        constraints = [models.UniqueConstraint(name="sample_once", fields=["run", "at"])]

    def __str__(self) -> str:
        return f"{self.run_id} at {self.at:%Y-%m-%d %H:%M}"
