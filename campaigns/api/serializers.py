"""Campaigns as programs write and read them."""

from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers

from accounts.channels import Channel
from accounts.strict import Strict
from campaigns.api import run_serializers
from campaigns.models import Campaign
from campaigns.schedule_of import OF_KIND, TIMED, kinds_that_ask, unasked
from campaigns.vocabulary import LARGEST_DATA, CampaignState, EveryUnit, Goal, ScheduleKind, Split, too_much
from notifications.api.paging import PageAnswer, PageQuery
from notifications.vocabulary import Urgency

#: Fields of a request that are columns of the same name.
COLUMNS: Final = (
    "name", "channels", "urgency", "data", "starts_wall", "crontab", "every", "every_unit", "ends_wall", "zone",
    "in_local_time", "window_from", "window_until", "throttle_per_minute", "late_hours", "split", "goal",
    "holdout_percent", "test_percent", "decide_after_hours", "decide_by_hours", "sure_percent",
)  # fmt: skip


#: Times on the wall: an offset, which would be dropped, is refused.
_WALL: Final = ("%H:%M", "%H:%M:%S")


def _choices(kinds: Any) -> list[str]:
    return [kind.value for kind in kinds]


def _columns_of(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in COLUMNS if name in given} | {
        "schedule_kind": given.get("schedule", ScheduleKind.NOW.value)
    }


def _asked_for() -> str:
    return "; ".join(f"{kind}: {', '.join(names) or 'none'}" for kind, names in OF_KIND.items())


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
    schedule = serializers.ChoiceField(
        choices=_choices(ScheduleKind),
        required=False,
        help_text="When it goes out once it is started; now where nothing is said of any time. Each asks for fields of "
        f"its own, and takes no others: {_asked_for()}.",
    )
    starts_wall = serializers.CharField(
        max_length=16, required=False, allow_null=True, help_text="As on the wall: 2026-12-24T09:00."
    )
    crontab = serializers.CharField(max_length=200, required=False, allow_null=True)
    every = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False, allow_null=True)
    every_unit = serializers.ChoiceField(choices=_choices(EveryUnit), required=False, allow_null=True)
    ends_wall = serializers.CharField(max_length=16, required=False, allow_null=True)
    zone = serializers.CharField(max_length=64, required=False)
    in_local_time = serializers.BooleanField(required=False)
    window_from = serializers.TimeField(input_formats=_WALL, required=False, allow_null=True)
    window_until = serializers.TimeField(input_formats=_WALL, required=False, allow_null=True)
    throttle_per_minute = serializers.IntegerField(min_value=1, max_value=10_000_000, required=False, allow_null=True)
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
        """What only makes sense together. Null is as good as not said."""
        attrs = {name: value for name, value in attrs.items() if value is not None}
        timed = [name for name in TIMED if attrs.get(name)]
        if timed and "schedule" not in attrs:
            # else it would go out at once, and who wrote a time did not mean that
            told = f"Say which it is, beside {', '.join(timed)}: {kinds_that_ask(timed)}."
            raise serializers.ValidationError({"schedule": told})
        if too_much := unasked(Campaign(**_columns_of(attrs))):
            raise serializers.ValidationError({one.field: one.message for one in too_much})
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
        return _columns_of(self.validated_data)


class StartRequest(Strict):
    """What a campaign that is to start was read as."""

    seen = serializers.CharField(
        max_length=64,
        required=False,
        help_text="The `fingerprint` of what was read: where it says something else by now, 409, and nothing starts.",
    )


class CampaignsQuery(PageQuery):
    """Which campaigns."""

    state = serializers.ChoiceField(choices=_choices(CampaignState), required=False)
    name = serializers.CharField(max_length=120, required=False, help_text="How their names begin.")


class _VariantAnswer(serializers.Serializer[Any]):
    """One wording."""

    template = serializers.CharField()
    weight = serializers.IntegerField()


class CampaignLineAnswer(serializers.Serializer[Any]):
    """One campaign of many, without what it says and without its progress."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.CharField(
        help_text="Whether further runs begin: draft, in_review (waits for a second pair of eyes), active (it goes out "
        "by its schedule), paused, or ended (no moment is left; the last run may still be under way)."
    )
    under_way = serializers.BooleanField(help_text="Whether a run of it is on its way, or held; also of an ended one.")
    next_at = serializers.DateTimeField(allow_null=True, help_text="When the next run begins.")


class CampaignsAnswer(PageAnswer):
    """A page of campaigns."""

    results = CampaignLineAnswer(many=True)


class CampaignAnswer(CampaignLineAnswer):
    """A campaign: all that was written, by the names by which it is written, and its latest run."""

    mode = serializers.CharField()
    segment = serializers.CharField()
    variants: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=_VariantAnswer(), help_text="A, B, … in this order."
    )
    channels = serializers.ListField(
        child=serializers.CharField(), help_text="Empty: those for which the templates say something."
    )
    urgency = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment] # a field called data, as elsewhere
    schedule = serializers.CharField()
    starts_wall = serializers.CharField(allow_null=True)
    crontab = serializers.CharField(allow_null=True)
    every = serializers.IntegerField(allow_null=True)
    every_unit = serializers.CharField(allow_null=True)
    ends_wall = serializers.CharField(allow_null=True)
    zone = serializers.CharField()
    in_local_time = serializers.BooleanField()
    window_from = serializers.TimeField(allow_null=True)
    window_until = serializers.TimeField(allow_null=True)
    throttle_per_minute = serializers.IntegerField(allow_null=True)
    late_hours = serializers.IntegerField()
    split = serializers.CharField()
    goal = serializers.CharField()
    holdout_percent = serializers.IntegerField()
    test_percent = serializers.IntegerField()
    decide_after_hours = serializers.IntegerField()
    decide_by_hours = serializers.IntegerField()
    sure_percent = serializers.IntegerField()
    fingerprint = serializers.CharField(
        allow_null=True,
        help_text="Of a draft: another one as soon as it, its segment or a text of its templates says something else. "
        "`start` takes it as `seen`.",
    )
    run = run_serializers.RunAnswer(allow_null=True)


class StartedAnswer(CampaignAnswer):
    """A campaign that was started, and what a person would have been told before."""

    people = serializers.IntegerField(help_text="How many are in its segment now. Who begins to be in it later counts.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="What did not stand in the way.")
