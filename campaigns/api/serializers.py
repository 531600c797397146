"""Campaigns as programs write and read them."""

from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers

from accounts.channels import Channel
from accounts.strict import Strict
from campaigns.models import Campaign, Run
from campaigns.progress import Progress
from campaigns.vocabulary import LARGEST_DATA, EveryUnit, Goal, ScheduleKind, Split, too_much
from notifications.vocabulary import Urgency

#: Fields of a request that are columns of the same name.
_COLUMNS: Final = (
    "name", "channels", "urgency", "data", "starts_wall", "crontab", "every", "every_unit", "ends_wall", "zone",
    "in_local_time", "window_from", "window_until", "throttle_per_minute", "late_hours", "split", "goal",
    "holdout_percent", "test_percent", "decide_after_hours", "decide_by_hours", "sure_percent",
)  # fmt: skip


#: Times on the wall: an offset, which would be dropped, is refused.
_WALL: Final = ("%H:%M", "%H:%M:%S")


def _choices(kinds: Any) -> list[str]:
    return [kind.value for kind in kinds]


class VariantRequest(Strict):
    """One wording: a published template, and its share beside the others'."""

    template = serializers.CharField(max_length=80)
    weight = serializers.IntegerField(min_value=1, max_value=1000, default=1)


class CampaignRequest(Strict):
    """A new campaign, as a draft. Variants are called A, B, … in the order given."""

    name = serializers.CharField(max_length=120)
    segment = serializers.CharField(max_length=100, help_text="The name of a segment.")
    variants: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=VariantRequest(), allow_empty=False, max_length=6
    )
    channels = serializers.ListField(child=serializers.ChoiceField(choices=_choices(Channel)), required=False)
    urgency = serializers.ChoiceField(choices=_choices(Urgency), required=False)
    data = serializers.DictField(  # type: ignore[assignment] # a field called data, as elsewhere
        required=False,
        help_text=f"What the templates are given, for everybody. At most {LARGEST_DATA:,} bytes of JSON.",
    )
    schedule = serializers.ChoiceField(choices=_choices(ScheduleKind), default=ScheduleKind.NOW.value)
    starts_wall = serializers.CharField(max_length=16, required=False, help_text="As on the wall: 2026-12-24T09:00.")
    crontab = serializers.CharField(max_length=200, required=False)
    every = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    every_unit = serializers.ChoiceField(choices=_choices(EveryUnit), required=False)
    ends_wall = serializers.CharField(max_length=16, required=False)
    zone = serializers.CharField(max_length=64, required=False)
    in_local_time = serializers.BooleanField(required=False)
    window_from = serializers.TimeField(input_formats=_WALL, required=False)
    window_until = serializers.TimeField(input_formats=_WALL, required=False)
    throttle_per_minute = serializers.IntegerField(min_value=1, max_value=10_000_000, required=False)
    late_hours = serializers.IntegerField(min_value=0, max_value=720, required=False)
    split = serializers.ChoiceField(choices=_choices(Split), required=False)
    goal = serializers.ChoiceField(choices=_choices(Goal), required=False)
    holdout_percent = serializers.IntegerField(min_value=0, max_value=50, required=False)
    test_percent = serializers.IntegerField(min_value=1, max_value=100, required=False)
    decide_after_hours = serializers.IntegerField(min_value=1, max_value=720, required=False)
    decide_by_hours = serializers.IntegerField(min_value=1, max_value=720, required=False)
    sure_percent = serializers.IntegerField(min_value=51, max_value=99, required=False)

    def validate_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """No more than templates are given."""
        if says := too_much(data):
            raise serializers.ValidationError(says)
        return data

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What only makes sense together."""
        if ("window_from" in attrs) != ("window_until" in attrs):
            raise serializers.ValidationError({"window_until": "A send window has a beginning and an end."})
        if attrs.get("window_from") is not None and attrs["window_from"] == attrs["window_until"]:
            raise serializers.ValidationError({"window_until": "A send window ends at another time than it begins."})
        after, by = attrs.get("decide_after_hours", 4), attrs.get("decide_by_hours", 24)
        if by < after:
            raise serializers.ValidationError({"decide_by_hours": f"Decide after {after} hours at the earliest."})
        return attrs

    def columns(self) -> dict[str, Any]:
        """The columns of the row; the segment and the variants are looked up by whoever writes it."""
        given = self.validated_data
        return {name: given[name] for name in _COLUMNS if name in given} | {"schedule_kind": given["schedule"]}


class WinnerRequest(Strict):
    """Which variant goes to those who wait."""

    variant = serializers.CharField(max_length=1)


class CountsAnswer(serializers.Serializer[Any]):
    """What became of deliveries. `planned` are all but the suppressed."""

    people = serializers.IntegerField()
    planned = serializers.IntegerField()
    waiting = serializers.IntegerField()
    sent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    failed = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    opened = serializers.IntegerField()
    clicked = serializers.IntegerField()
    converted = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()
    complained = serializers.IntegerField()


class ArmAnswer(CountsAnswer):
    """What became of one variant; "-" are those who are held out."""

    variant = serializers.CharField()
    template = serializers.CharField(allow_blank=True)
    notification = serializers.UUIDField(allow_null=True)


class RunAnswer(serializers.Serializer[Any]):
    """One going-out of a campaign, and how far it is."""

    id = serializers.UUIDField()
    planned_for = serializers.DateTimeField()
    state = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    winner = serializers.CharField(allow_blank=True)
    people = serializers.IntegerField(help_text="The size of its audience, as far as it is written down.")
    handled = serializers.IntegerField(help_text="Of those, who are planned.")
    percent = serializers.FloatField()
    per_second = serializers.FloatField(allow_null=True)
    seconds_left = serializers.FloatField(allow_null=True)
    counts = CountsAnswer()
    arms = ArmAnswer(many=True)


class CampaignAnswer(serializers.Serializer[Any]):
    """A campaign, and its latest run."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.CharField()
    mode = serializers.CharField()
    segment = serializers.CharField()
    schedule = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True)
    run = RunAnswer(allow_null=True)


class CampaignsAnswer(serializers.Serializer[Any]):
    """One campaign of many, without its progress."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True)


class CancelledAnswer(serializers.Serializer[Any]):
    """How many deliveries were withdrawn, and for how many it was too late."""

    cancelled = serializers.IntegerField()
    too_late = serializers.IntegerField()


class RetriedAnswer(serializers.Serializer[Any]):
    """How many deliveries are tried again."""

    replayed = serializers.IntegerField()


def told(campaign: Campaign, run: Run | None, progress: Progress | None) -> Mapping[str, Any]:
    """A campaign with its latest run, as `CampaignAnswer` shows it."""
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state,
        "mode": campaign.mode,
        "segment": campaign.segment.name,
        "schedule": campaign.schedule_kind,
        "next_at": campaign.next_at,
        "run": _run_told(run, progress) if run and progress else None,
    }


def _run_told(run: Run, progress: Progress) -> Mapping[str, Any]:
    return {
        "id": run.id,
        "planned_for": run.planned_for,
        "state": run.state,
        "note": run.note,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "winner": run.winner,
        "people": progress.people,
        "handled": progress.handled,
        "percent": progress.percent,
        "per_second": progress.per_second,
        "seconds_left": progress.seconds_left,
        "counts": progress.counts.as_json(),
        "arms": [
            {
                **progress.arms[arm.letter].as_json(),
                "variant": arm.letter,
                "template": arm.template,
                "notification": arm.notification_id,
            }
            for arm in run.arms.order_by("letter")
        ],
    }
