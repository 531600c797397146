"""Fields of a campaign's form that Django has no widget for in the theme's looks, and which of them belong together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from django import forms

from campaigns.vocabulary import ScheduleKind

if TYPE_CHECKING:
    # the theme says nothing of its types
    from django.forms import CheckboxSelectMultiple as ThemedBoxes
    from django.forms import TextInput as ThemedText
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as ThemedBoxes
    from unfold.widgets import UnfoldAdminTextInputWidget as ThemedText

#: Fields that say when, for each kind of schedule. Of another kind they say nothing, and are emptied.
OF_KIND: Final[Mapping[ScheduleKind, tuple[str, ...]]] = {
    ScheduleKind.NOW: (),
    ScheduleKind.ONCE: ("starts_wall", "in_local_time"),
    ScheduleKind.CRONTAB: ("crontab", "starts_wall", "ends_wall", "in_local_time"),
    ScheduleKind.INTERVAL: ("every", "every_unit", "starts_wall", "ends_wall", "in_local_time"),
}
TIMED: Final = tuple(dict.fromkeys(name for names in OF_KIND.values() for name in names))

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
