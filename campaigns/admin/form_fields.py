"""Fields of a campaign's form that Django has no widget for in the theme's looks, and which of them belong together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from django import forms

from campaigns.models import Campaign
from campaigns.schedule_of import OF_KIND, TIMED
from campaigns.vocabulary import Goal, ScheduleKind, Split

if TYPE_CHECKING:
    # the theme says nothing of its types
    from django.forms import CheckboxSelectMultiple as ThemedBoxes
    from django.forms import TextInput as ThemedText
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as ThemedBoxes
    from unfold.widgets import UnfoldAdminTextInputWidget as ThemedText

#: Fields that mean something whenever it does not go out at once.
_LATER: Final = ("zone", "late_hours")

#: What is chosen among, in words that say what comes of it.
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "schedule_kind": {
        ScheduleKind.NOW: "At once, when it is started",
        ScheduleKind.ONCE: "Once, at a time",
        ScheduleKind.CRONTAB: "Again and again, by a crontab",
        ScheduleKind.INTERVAL: "Again and again, at an interval",
    },
    "split": {
        Split.FIXED: "Fixed: by the weights",
        Split.ADAPTIVE: "Adaptive: more and more to what does best",
    },
    "goal": {Goal.CLICK: "Clicks", Goal.CONVERSION: "Conversions"},
}
LABELS: Final[Mapping[str, str]] = {
    "holdout_percent": "Hold-out, percent",
    "in_local_time": "Local time",
    "window_from": "Sent from",
    "window_until": "Sent until",
    "throttle_per_minute": "People a minute",
    "late_hours": "Late by at most, hours",
    "every": "Every",
    "every_unit": "Counted in",
    "test_percent": "Test, percent",
    "decide_after_hours": "Decided after, hours",
    "decide_by_hours": "Decided by, hours",
    "sure_percent": "Sure enough, percent",
}

#: The least and the most of a number, in the words of the field.
RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "every": (1, 1_000_000),
    "throttle_per_minute": (1, 10_000_000),
    "late_hours": (0, 24 * 30),
    "holdout_percent": (0, 50),
    "test_percent": (1, 100),
    "decide_after_hours": (1, 24 * 30),
    "decide_by_hours": (1, 24 * 30),
    "sure_percent": (51, 99),
}


#: Of an experiment, and of one that ends with a decision.
_TRIED: Final = ("split", "goal", "test_percent", "sure_percent")
_DECIDED: Final = ("decide_after_hours", "decide_by_hours")


def asked_by() -> dict[str, tuple[str, ...]]:
    """What each kind of schedule asks for: the page shows it, and nothing that only others ask for."""
    return {kind.value: (*names, *(() if kind is ScheduleKind.NOW else _LATER)) for kind, names in OF_KIND.items()}


def fields_of(campaign: Campaign, fieldsets: Any) -> list[Any]:
    """The fieldsets of a campaign's page without the fields that say nothing of this one."""
    silent = {*TIMED, *_LATER} - {*asked_by()[campaign.schedule_kind]}
    if campaign.window_from is not None:
        silent -= {"zone"}
    if len(campaign.variants.all()) < 2:
        silent |= {*_TRIED}
    if campaign.test_percent == 100:
        silent |= {*_DECIDED}
    optional = ("window_from", "window_until", "throttle_per_minute", "starts_wall", "ends_wall")
    silent |= {name for name in optional if not getattr(campaign, name)}
    kept = []
    for name, options in fieldsets:
        rows = [[one] if isinstance(one, str) else one for one in options["fields"]]
        said = [tuple(one for one in row if one not in silent) for row in rows]
        if any(said):
            kept.append((name, {**options, "fields": [row for row in said if row]}))
    return kept


def zones() -> list[str]:
    """Names to choose from: those of places, and UTC."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]


class WallInput(ThemedText):
    """A date and a time of day, as the browser asks for them; without a zone."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "datetime-local", "placeholder": "2026-12-24T09:00"})


class HourInput(ThemedText):
    """A time of day, as the browser asks for it."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "time", "placeholder": "09:00"})

    def format_value(self, value: Any) -> str | None:
        """Without seconds, which nobody plans by."""
        return f"{value:%H:%M}" if hasattr(value, "hour") else super().format_value(value)


class ZoneInput(ThemedText):
    """The name of a zone, out of a list that can be searched by typing."""

    def __init__(self) -> None:
        super().__init__(attrs={"list": "campaign-zones", "autocomplete": "off", "spellcheck": "false"})


class ChannelBoxes(ThemedBoxes):
    """A box for each channel."""


def bound(field: forms.Field, least: int, most: int) -> None:
    """Let a field take numbers of a range alone, also before it is sent."""
    field.widget.attrs |= {"min": least, "max": most}
    field.validators = [*field.validators, _within(least, most)]


def _within(least: int, most: int) -> Any:
    def check(value: int) -> None:
        if not least <= value <= most:
            raise forms.ValidationError(f"Write a number from {least:,} to {most:,}.")

    return check
