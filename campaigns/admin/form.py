"""The form of a campaign, in the order in which a marketer thinks: what, to whom, when, and what is tried.

A draft that is not ready can be saved; what cannot be meant is told at its field.
"""

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.db.models import Q
from django.forms.models import BaseInlineFormSet

from accounts.channels import Channel
from accounts.json_input import JSONInput
from accounts.staff import versions
from campaigns.admin.form_fields import (
    CHOICES,
    LABELS,
    RANGES,
    ChannelBoxes,
    HourInput,
    WallInput,
    ZoneInput,
    bound,
)
from campaigns.models import Campaign, Variant
from campaigns.schedule_of import OF_KIND, TIMED, problems_of
from campaigns.vocabulary import LETTERS, ScheduleKind, too_much
from notifications.clock import clock
from templates_app.models import Template, VersionState

#: What fields hold that say nothing.
_EMPTY: Final = Campaign()
#: Those of which a schedule is made.
_SCHEDULE: Final = ("schedule_kind", "zone", *TIMED)


class CampaignForm(forms.ModelForm[Campaign]):
    """Clears what the chosen kind of schedule does not ask for."""

    channels = forms.MultipleChoiceField(
        choices=[(one.value, one.value) for one in Channel],
        required=False,
        widget=ChannelBoxes,
        help_text="None chosen: all for which the templates say something.",
    )

    class Meta:
        model = Campaign
        fields = (
            "name", "application", "mode", "data", "segment", "channels", "holdout_percent",
            "schedule_kind", "starts_wall", "crontab", "every", "every_unit", "ends_wall", "zone", "in_local_time",
            "window_from", "window_until", "throttle_per_minute", "late_hours", "urgency",
            "split", "goal", "test_percent", "decide_after_hours", "decide_by_hours", "sure_percent",
        )  # fmt: skip
        labels = LABELS
        field_classes = {"data": JSONInput}
        widgets = {
            "starts_wall": WallInput(),
            "ends_wall": WallInput(),
            "zone": ZoneInput(),
            "window_from": HourInput(),
            "window_until": HourInput(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (least, most) in RANGES.items():
            if name in self.fields:
                bound(self.fields[name], least, most)
        for name, said in CHOICES.items():
            chosen = self.fields.get(name)
            if isinstance(chosen, forms.ChoiceField):
                chosen.choices = list(said.items())
        if "data" in self.fields:
            self.fields["data"].widget.attrs["rows"] = 4
            self.fields["data"].help_text = 'JSON, the same for everybody, for example {"product": "Blue jacket"}.'

    def clean_data(self) -> dict[str, Any]:
        """An object, as applications send it."""
        data = self.cleaned_data["data"] or {}
        if not isinstance(data, dict):
            raise forms.ValidationError('Write an object, for example {"product": "Blue jacket"}.')
        if says := too_much(data):
            raise forms.ValidationError(says)
        return data

    def clean(self) -> dict[str, Any]:
        """A schedule that can be read, and numbers that agree with each other."""
        cleaned = super().clean() or self.cleaned_data
        versions.must_be_as_opened(self, Variant.objects.filter(campaign=self.instance.pk).order_by("letter"))
        kind = cleaned.get("schedule_kind")
        if kind in list(ScheduleKind):
            self._keep_to(ScheduleKind(kind), cleaned)
            for field, message in self._of_schedule(cleaned):
                self.add_error(field, message)
        for name, other in (("window_from", "window_until"), ("window_until", "window_from")):
            if cleaned.get(other) and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, "A send window has a beginning and an end: write both, or neither.")
        if cleaned.get("window_from") and cleaned.get("window_from") == cleaned.get("window_until"):
            self.add_error("window_until", "The window ends when it begins; for the whole day leave both empty.")
        after, by = cleaned.get("decide_after_hours"), cleaned.get("decide_by_hours")
        if after and by and by < after:
            self.add_error("decide_by_hours", f"Not before it may decide at all: write {after} or more.")
        return cleaned

    def _keep_to(self, kind: ScheduleKind, cleaned: dict[str, Any]) -> None:
        """What another kind of schedule was asked for is forgotten, also where it was wrong."""
        for name in set(TIMED) - set(OF_KIND[kind]):
            self.errors.pop(name, None)
            cleaned[name] = getattr(_EMPTY, name)

    def _of_schedule(self, cleaned: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """What is wrong with what was just typed; what is missing, or has passed since, is told before the start."""
        if not set(_SCHEDULE) & set(self.changed_data) or set(_SCHEDULE) & set(self.errors):
            return
        tried = Campaign(**{name: cleaned[name] for name in _SCHEDULE})
        for one in problems_of(tried, clock.now()):
            if cleaned.get(one.field):
                yield one.field, one.message


class VariantForm(forms.ModelForm[Variant]):
    """A template and its share. `letter_was` is what it was called before it got another place."""

    class Meta:
        model = Variant
        fields = ("template", "weight")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.letter_was = self.instance.letter
        if "weight" in self.fields:
            bound(self.fields["weight"], 1, 1000)
        if "template" in self.fields:
            chosen = self.fields["template"]
            assert isinstance(chosen, forms.ModelChoiceField)
            published = Q(versions__state=VersionState.PUBLISHED) | Q(pk=self.instance.template_id)
            chosen.queryset = Template.objects.filter(published).distinct().order_by("name")

    def has_changed(self) -> bool:
        """Also where only its letter did."""
        return super().has_changed() or bool(self.letter_was and self.letter_was != self.instance.letter)


class VariantFormSet(BaseInlineFormSet[Variant, Campaign, VariantForm]):
    """One to six; their letters go by their places."""

    def clean(self) -> None:
        """Give the letters. Those that move go up, so that none meets another on its way."""
        super().clean()
        kept = [form for form in self.forms if _is_filled(form) and form not in self.deleted_forms]
        for letter, form in zip(LETTERS, kept, strict=False):
            form.instance.letter = letter


def _is_filled(form: VariantForm) -> bool:
    return bool(form.instance.pk) or form.has_changed()
