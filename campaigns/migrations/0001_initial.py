"""Before the deployment: new tables, of which the version before knows nothing."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0011_tracking_flags"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("templates_app", "0005_versions_in_review"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Segment",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "kind",
                    models.CharField(choices=[("rules", "Rules"), ("list", "List")], default="rules", max_length=5),
                ),
                ("rules", models.JSONField(blank=True, default=dict, help_text="A tree of rules; empty: everybody.")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["rules", "list"])), name="segment_kind_known"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="campaigns", to="campaigns.segment"
                    ),
                ),
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=120, unique=True)),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], default="live", max_length=4)),
                (
                    "channels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[("push", "Push"), ("sms", "Sms"), ("email", "Email")], max_length=5
                        ),
                        blank=True,
                        default=list,
                        help_text="Empty: those for which the templates say something.",
                        size=None,
                    ),
                ),
                (
                    "urgency",
                    models.CharField(
                        choices=[("critical", "Critical"), ("normal", "Normal"), ("bulk", "Bulk")],
                        default="bulk",
                        max_length=8,
                    ),
                ),
                (
                    "data",
                    models.JSONField(
                        blank=True, default=dict, help_text="What the templates are given, for everybody."
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("in_review", "In review"),
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("ended", "Ended"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=9,
                    ),
                ),
                (
                    "schedule_kind",
                    models.CharField(
                        choices=[("now", "Now"), ("once", "Once"), ("crontab", "Crontab"), ("interval", "Interval")],
                        default="now",
                        max_length=8,
                        verbose_name="schedule",
                    ),
                ),
                (
                    "starts_wall",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="As on the wall: 2026-12-24T09:00.",
                        max_length=16,
                        verbose_name="starts at",
                    ),
                ),
                (
                    "crontab",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Minute, hour, day, month, weekday: 0 9 * * 1 is Mondays at 9.",
                        max_length=200,
                    ),
                ),
                ("every", models.PositiveIntegerField(blank=True, help_text="Every so many …", null=True)),
                (
                    "every_unit",
                    models.CharField(
                        blank=True,
                        choices=[("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")],
                        default="",
                        max_length=7,
                    ),
                ),
                (
                    "ends_wall",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="No run begins after this; empty: never.",
                        max_length=16,
                        verbose_name="ends at",
                    ),
                ),
                (
                    "zone",
                    models.CharField(default="Asia/Seoul", help_text="IANA, for example Asia/Seoul.", max_length=64),
                ),
                (
                    "in_local_time",
                    models.BooleanField(
                        default=False, help_text="At that time on everybody's own wall, around the world."
                    ),
                ),
                ("window_from", models.TimeField(blank=True, help_text="Sent only from this hour,", null=True)),
                (
                    "window_until",
                    models.TimeField(
                        blank=True, help_text="until this one; the rest waits for the next day.", null=True
                    ),
                ),
                (
                    "throttle_per_minute",
                    models.PositiveIntegerField(
                        blank=True, help_text="At most so many people a minute; empty: as fast as it goes.", null=True
                    ),
                ),
                (
                    "late_hours",
                    models.PositiveSmallIntegerField(
                        default=24,
                        help_text="A run that could not begin in time begins up to so many hours late, and not after that.",
                    ),
                ),
                ("next_at", models.DateTimeField(editable=False, null=True)),
                (
                    "last_planned_at",
                    models.DateTimeField(editable=False, help_text="The latest moment that was seen to.", null=True),
                ),
                (
                    "split",
                    models.CharField(
                        choices=[("fixed", "Fixed"), ("adaptive", "Adaptive")], default="fixed", max_length=8
                    ),
                ),
                (
                    "goal",
                    models.CharField(
                        choices=[("click", "Click"), ("conversion", "Conversion")], default="click", max_length=10
                    ),
                ),
                (
                    "holdout_percent",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="So many of a hundred get nothing, to be compared with.",
                        verbose_name="hold-out",
                    ),
                ),
                (
                    "test_percent",
                    models.PositiveSmallIntegerField(
                        default=100,
                        help_text="The variants go to so many of a hundred; the rest gets the better one later.",
                        verbose_name="test",
                    ),
                ),
                (
                    "decide_after_hours",
                    models.PositiveSmallIntegerField(
                        default=4,
                        help_text="Hours after which the better variant may go to the rest, once it is sure enough.",
                    ),
                ),
                (
                    "decide_by_hours",
                    models.PositiveSmallIntegerField(
                        default=24, help_text="Hours after which the one that looks best goes to the rest, sure or not."
                    ),
                ),
                (
                    "sure_percent",
                    models.PositiveSmallIntegerField(
                        default=95,
                        help_text="The probability, in percent, that a variant is the best.",
                        verbose_name="sure enough",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("created_by_name", models.CharField(blank=True, default="", editable=False, max_length=150)),
                ("approved_by_name", models.CharField(blank=True, default="", editable=False, max_length=150)),
                ("approved_at", models.DateTimeField(editable=False, null=True)),
                (
                    "application",
                    models.ForeignKey(
                        help_text="On whose behalf; its keys can read it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.application",
                    ),
                ),
                (
                    "periodic_task",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="django_celery_beat.periodictask",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("start_campaign", "Can schedule, start, pause, resume and cancel campaigns"),
                    ("approve_campaign", "Can approve campaigns that wait for a second pair of eyes"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("planned_for", models.DateTimeField(help_text="The moment of the schedule that it is for.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("starting", "Starting"),
                            ("running", "Running"),
                            ("deciding", "Deciding"),
                            ("paused", "Paused"),
                            ("finished", "Finished"),
                            ("cancelled", "Cancelled"),
                            ("skipped", "Skipped"),
                            ("failed", "Failed"),
                        ],
                        default="starting",
                        max_length=9,
                    ),
                ),
                (
                    "paused_from",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("starting", "Starting"),
                            ("running", "Running"),
                            ("deciding", "Deciding"),
                            ("paused", "Paused"),
                            ("finished", "Finished"),
                            ("cancelled", "Cancelled"),
                            ("skipped", "Skipped"),
                            ("failed", "Failed"),
                        ],
                        default="",
                        max_length=9,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("started_at", models.DateTimeField(null=True)),
                (
                    "frozen_at",
                    models.DateTimeField(help_text="When the last of its audience was written down.", null=True),
                ),
                ("tested_at", models.DateTimeField(help_text="When the last of the test was planned.", null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("frozen_to", models.UUIDField(help_text="The last recipient who was written down.", null=True)),
                ("lease_id", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "people",
                    models.PositiveIntegerField(
                        default=0, help_text="The size of its audience, as far as it is frozen."
                    ),
                ),
                ("next_chunk_at", models.DateTimeField(help_text="When the next chunk may be planned.", null=True)),
                (
                    "holdout_percent",
                    models.PositiveSmallIntegerField(default=0, help_text="What its campaign said when it began."),
                ),
                (
                    "test_percent",
                    models.PositiveSmallIntegerField(default=100, help_text="What its campaign said when it began."),
                ),
                ("shares", models.JSONField(default=dict, help_text="What each variant gets now: letter, share.")),
                ("winner", models.CharField(blank=True, default="", max_length=1)),
                ("estimate", models.JSONField(default=dict, help_text="What was expected before the start.")),
                ("note", models.CharField(blank=True, default="", max_length=300)),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="campaigns.campaign",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Chunk",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("phase", models.PositiveSmallIntegerField(default=1)),
                ("after_id", models.UUIDField()),
                ("recipient_ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("planned", "Planned"), ("closed", "Closed")],
                        default="open",
                        max_length=7,
                    ),
                ),
                ("lease_id", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("planned_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="campaigns.run",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Arm",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "letter",
                    models.CharField(
                        choices=[("A", "A"), ("B", "B"), ("C", "C"), ("D", "D"), ("E", "E"), ("F", "F"), ("-", "-")],
                        max_length=1,
                    ),
                ),
                (
                    "template",
                    models.CharField(blank=True, default="", help_text="Its name at the time.", max_length=80),
                ),
                ("version_id", models.UUIDField(null=True)),
                ("notification_id", models.UUIDField(null=True, unique=True)),
                ("weight", models.PositiveSmallIntegerField(default=1)),
                ("people", models.PositiveIntegerField(default=0, help_text="Recipients planned so far.")),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="arms",
                        to="campaigns.run",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Sample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "counts",
                    models.JSONField(
                        help_text="What was counted by then: planned, sent, delivered, opened, clicked, …"
                    ),
                ),
                (
                    "reached",
                    models.JSONField(
                        default=dict, help_text="How many of each arm something had left for: letter, people."
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="samples",
                        to="campaigns.run",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SegmentMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.recipient"
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="campaigns.segment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Variant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "letter",
                    models.CharField(
                        choices=[("A", "A"), ("B", "B"), ("C", "C"), ("D", "D"), ("E", "E"), ("F", "F")], max_length=1
                    ),
                ),
                (
                    "weight",
                    models.PositiveSmallIntegerField(default=1, help_text="Its share, beside those of the others."),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="variants", to="campaigns.campaign"
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="templates_app.template",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state__in", ["deciding", "paused", "running", "starting"])),
                fields=["id"],
                name="run_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(fields=("campaign", "planned_for"), name="run_once"),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["starting", "running", "deciding", "paused", "finished", "cancelled", "skipped", "failed"],
                    )
                ),
                name="run_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lease_id__isnull", True), ("lease_until__isnull", True)),
                    models.Q(("lease_id__isnull", False), ("lease_until__isnull", False)),
                    _connector="OR",
                ),
                name="run_lease_whole",
            ),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["run", "phase", "after_id"], name="chunk_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.UniqueConstraint(fields=("run", "phase", "after_id"), name="chunk_once"),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "planned", "closed"])), name="chunk_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lease_id__isnull", True), ("lease_until__isnull", True)),
                    models.Q(("lease_id__isnull", False), ("lease_until__isnull", False)),
                    _connector="OR",
                ),
                name="chunk_lease_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="arm",
            constraint=models.UniqueConstraint(fields=("run", "letter"), name="arm_once"),
        ),
        migrations.AddConstraint(
            model_name="sample",
            constraint=models.UniqueConstraint(fields=("run", "at"), name="sample_once"),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(condition=models.Q(("state", "active")), fields=["next_at"], name="campaign_due"),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["live", "test"])), name="campaign_mode_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["draft", "in_review", "active", "paused", "ended"])),
                name="campaign_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("urgency__in", ["critical", "normal", "bulk"])), name="campaign_urgency_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("schedule_kind__in", ["now", "once", "crontab", "interval"])),
                name="campaign_schedule_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("split__in", ["fixed", "adaptive"])), name="campaign_split_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("goal__in", ["click", "conversion"])), name="campaign_goal_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("channels__contained_by", ["push", "sms", "email"])), name="campaign_channels_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("window_from__isnull", True), ("window_until__isnull", True)),
                    models.Q(
                        ("window_from__isnull", False),
                        ("window_until__isnull", False),
                        models.Q(("window_from", models.F("window_until")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="campaign_window_whole",
                violation_error_message="A send window has a beginning and an end, which differ.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("throttle_per_minute__isnull", True), ("throttle_per_minute__gte", 1), _connector="OR"
                ),
                name="campaign_throttle_sane",
                violation_error_message="Send to one person a minute at least.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("holdout_percent__lte", 50),
                    ("sure_percent__gte", 51),
                    ("sure_percent__lte", 99),
                    ("test_percent__gte", 1),
                    ("test_percent__lte", 100),
                ),
                name="campaign_percents_sane",
                violation_error_message="Hold out 50 % at most, test with 1 to 100 %, and be 51 to 99 % sure.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decide_after_hours__gte", 1), ("decide_by_hours__gte", models.F("decide_after_hours"))
                ),
                name="campaign_decides_in_order",
                violation_error_message="Decide after an hour at least, and at the latest not before that.",
            ),
        ),
        migrations.AddConstraint(
            model_name="segmentmember",
            constraint=models.UniqueConstraint(fields=("segment", "recipient"), name="segment_member_once"),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.UniqueConstraint(
                fields=("campaign", "letter"),
                name="variant_letter_once",
                violation_error_message="Two variants have one letter.",
            ),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.CheckConstraint(
                condition=models.Q(("weight__gte", 1), ("weight__lte", 1000)),
                name="variant_weight_sane",
                violation_error_message="A weight is a number from 1 to 1000.",
            ),
        ),
    ]
