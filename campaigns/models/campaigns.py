"""A notification for an audience, at a time or on a schedule."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django_celery_beat.models import PeriodicTask

from accounts.channels import Channel, Mode
from accounts.ids import new_id
from accounts.models import Application
from accounts.models.kinds import choices, one_of
from campaigns.models.segments import Segment
from campaigns.vocabulary import LETTERS, CampaignState, EveryUnit, Goal, ScheduleKind, Split
from notifications.vocabulary import Urgency
from templates_app.models import Template


class Campaign(models.Model):
    """What goes to whom, and when. Written as a draft; while it is active nothing of it changes.

    `starts_wall` and `ends_wall` are times on the wall of `zone`, or of each recipient where `in_local_time` is set.
    `next_at` is the next moment at which a run begins: the truth, of which celery-beat's row is only the alarm clock.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120, unique=True)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="+", help_text="On whose behalf; its keys can read it."
    )
    mode = models.CharField(max_length=4, choices=choices(Mode), default=Mode.LIVE.value)
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="campaigns")
    channels = ArrayField(
        models.CharField(max_length=5, choices=choices(Channel)),
        default=list,
        blank=True,
        help_text="Empty: those for which the templates say something.",
    )
    urgency = models.CharField(max_length=8, choices=choices(Urgency), default=Urgency.BULK.value)
    data = models.JSONField(default=dict, blank=True, help_text="What the templates are given, for everybody.")
    state = models.CharField(
        max_length=9, choices=choices(CampaignState), default=CampaignState.DRAFT.value, editable=False
    )
    # --- when: schedules/
    schedule_kind = models.CharField(
        "schedule", max_length=8, choices=choices(ScheduleKind), default=ScheduleKind.NOW.value
    )
    starts_wall = models.CharField(
        "starts at", max_length=16, blank=True, default="", help_text="As on the wall: 2026-12-24T09:00."
    )
    crontab = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Minute, hour, day, month, weekday: 0 9 * * 1 is Mondays at 9.",
    )
    every = models.PositiveIntegerField(null=True, blank=True, help_text="Every so many …")
    every_unit = models.CharField(max_length=7, choices=choices(EveryUnit), blank=True, default="")
    ends_wall = models.CharField(
        "ends at", max_length=16, blank=True, default="", help_text="No run begins after this; empty: never."
    )
    zone = models.CharField(max_length=64, default="Asia/Seoul", help_text="IANA, for example Asia/Seoul.")
    in_local_time = models.BooleanField(
        default=False, help_text="At that time on everybody's own wall, around the world."
    )
    window_from = models.TimeField(null=True, blank=True, help_text="Sent only from this hour,")
    window_until = models.TimeField(null=True, blank=True, help_text="until this one; the rest waits for the next day.")
    throttle_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="At most so many people a minute; empty: as fast as it goes."
    )
    late_hours = models.PositiveSmallIntegerField(
        default=24, help_text="A run that could not begin in time begins up to so many hours late, and not after that."
    )
    next_at = models.DateTimeField(null=True, editable=False)
    last_planned_at = models.DateTimeField(null=True, editable=False, help_text="The latest moment that was seen to.")
    periodic_task = models.ForeignKey(
        PeriodicTask, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    # --- what is tried: experiments/
    split = models.CharField(max_length=8, choices=choices(Split), default=Split.FIXED.value)
    goal = models.CharField(max_length=10, choices=choices(Goal), default=Goal.CLICK.value)
    holdout_percent = models.PositiveSmallIntegerField(
        "hold-out", default=0, help_text="So many of a hundred get nothing, to be compared with."
    )
    test_percent = models.PositiveSmallIntegerField(
        "test", default=100, help_text="The variants go to so many of a hundred; the rest gets the better one later."
    )
    decide_after_hours = models.PositiveSmallIntegerField(
        default=4, help_text="Hours after which the better variant may go to the rest, once it is sure enough."
    )
    decide_by_hours = models.PositiveSmallIntegerField(
        default=24, help_text="Hours after which the one that looks best goes to the rest, sure or not."
    )
    sure_percent = models.PositiveSmallIntegerField(
        "sure enough", default=95, help_text="The probability, in percent, that a variant is the best."
    )
    # --- who
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by_name = models.CharField(max_length=150, blank=True, default="", editable=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    approved_by_name = models.CharField(max_length=150, blank=True, default="", editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        permissions = [
            ("start_campaign", "Can schedule, start, pause, resume and cancel campaigns"),
            ("approve_campaign", "Can approve campaigns that wait for a second pair of eyes"),
        ]
        constraints = [
            models.CheckConstraint(name="campaign_mode_known", condition=one_of("mode", Mode)),
            models.CheckConstraint(name="campaign_state_known", condition=one_of("state", CampaignState)),
            models.CheckConstraint(name="campaign_urgency_known", condition=one_of("urgency", Urgency)),
            models.CheckConstraint(name="campaign_schedule_known", condition=one_of("schedule_kind", ScheduleKind)),
            models.CheckConstraint(name="campaign_split_known", condition=one_of("split", Split)),
            models.CheckConstraint(name="campaign_goal_known", condition=one_of("goal", Goal)),
            models.CheckConstraint(
                name="campaign_channels_known",
                condition=Q(channels__contained_by=[channel.value for channel in Channel]),
            ),
            models.CheckConstraint(
                name="campaign_window_whole",
                condition=Q(window_from__isnull=True, window_until__isnull=True)
                | (Q(window_from__isnull=False, window_until__isnull=False) & ~Q(window_from=models.F("window_until"))),
                violation_error_message="A send window has a beginning and an end, which differ.",
            ),
            models.CheckConstraint(
                name="campaign_throttle_sane",
                condition=Q(throttle_per_minute__isnull=True) | Q(throttle_per_minute__gte=1),
                violation_error_message="Send to one person a minute at least.",
            ),
            models.CheckConstraint(
                name="campaign_percents_sane",
                condition=Q(
                    holdout_percent__lte=50,
                    test_percent__gte=1,
                    test_percent__lte=100,
                    sure_percent__gte=51,
                    sure_percent__lte=99,
                ),
                violation_error_message="Hold out 50 % at most, test with 1 to 100 %, and be 51 to 99 % sure.",
            ),
            models.CheckConstraint(
                name="campaign_decides_in_order",
                condition=Q(decide_after_hours__gte=1, decide_by_hours__gte=models.F("decide_after_hours")),
                violation_error_message="Decide after an hour at least, and at the latest not before that.",
            ),
        ]
        indexes = [
            # the tick asks for what is due
            models.Index(fields=["next_at"], name="campaign_due", condition=Q(state=CampaignState.ACTIVE.value)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def clock(self) -> ZoneInfo:
        """By which its pages tell all times: that of its zone, or UTC where no zone is called so any more."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")


class Variant(models.Model):
    """One wording that a campaign tries: a template, and its share."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="variants")
    letter = models.CharField(max_length=1, choices={letter: letter for letter in LETTERS})
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+", db_index=False)
    weight = models.PositiveSmallIntegerField(default=1, help_text="Its share, beside those of the others.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="variant_letter_once",
                fields=["campaign", "letter"],
                violation_error_message="Two variants have one letter.",
            ),
            models.CheckConstraint(
                name="variant_weight_sane",
                condition=Q(weight__gte=1, weight__lte=1000),
                violation_error_message="A weight is a number from 1 to 1000.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter}: {self.template.name}"
