"""The form of a category: its rules, what is usual for its kind, and which of them contradict each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from django import forms

from accounts.admin.bases import TabularInline
from accounts.channels import Channel
from accounts.models import Cap, Category, Consent
from accounts.policies import at_odds

#: Minutes.
_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Preset:
    """Rules that belong together, under a name. What the form says itself is overruled by them."""

    title: str
    values: Mapping[str, Any]


PRESETS: Final[Mapping[str, Preset]] = {
    # Act on Promotion of Information and Communications Network Utilization, article 50: prior consent, no advertising
    # from 21:00 to 08:00 without a consent of its own, and (광고) before it
    "korean_advertising": Preset(
        "Advertising in Korea: opt-in, (광고), not from 21:00 to 08:00",
        {
            "consent": Consent.OPT_IN.value,
            "in_doubt": "hold",
            "is_critical": False,
            "quiet_from": time(21),
            "quiet_until": time(8),
            "label": "(광고)",
        },
    ),
}


class CapInline(TabularInline[Cap, Category]):
    """How many of its messages are too many; caps over all categories have a page of their own."""

    model = Cap
    extra = 0
    fields = ("most", "hours", "channel")


class CategoryForm(forms.ModelForm[Category]):
    """A category, with what is usual for its kind where nothing else is chosen."""

    preset = forms.ChoiceField(
        required=False,
        choices=[("", "None: as written below"), *((name, preset.title) for name, preset in PRESETS.items())],
        help_text="Sets the rules below that belong together, once, when this is saved.",
    )
    routing_order = forms.CharField(
        required=False,
        help_text="Channels with commas between, the first choice first: push, sms, email. Empty for just that.",
    )

    class Meta:
        model = Category
        fields = (
            "name", "slug", "consent", "is_critical", "in_doubt", "quiet_from", "quiet_until", "quiet_spread", "label",
            "routing", "routing_order", "seen_within_days", "escalate_after", "reach", "digest_minutes", "when_capped",
            "needs_approval", "track_opens", "track_clicks", "track_texts", "attribution_days",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["routing_order"] = ", ".join(self.instance.routing_order)
        in_doubt = self.fields.get("in_doubt")
        if in_doubt is None:  # somebody who may only look
            return
        assert isinstance(in_doubt, forms.TypedChoiceField)
        usual = ("", "As usual: hold what people opted in to, such as advertising; send everything else again")
        in_doubt.required = False
        in_doubt.choices = [usual, *Category.IN_DOUBT.items()]

    def clean_routing_order(self) -> list[str]:
        """The channels as a list, each once."""
        names = [name.strip().lower() for name in self.cleaned_data["routing_order"].split(",") if name.strip()]
        if unknown := [name for name in names if name not in list(Channel)]:
            raise forms.ValidationError(f"{unknown[0][:20]!r} is no channel; there are {', '.join(Channel)}.")
        if len(set(names)) < len(names):
            raise forms.ValidationError("Each channel stands in the order once.")
        return names

    def clean(self) -> dict[str, Any]:
        """Presets first, then what is usual, then what cannot be meant."""
        cleaned = super().clean() or self.cleaned_data
        if preset := PRESETS.get(cleaned.get("preset") or ""):
            cleaned.update(preset.values)
        if not cleaned.get("in_doubt"):
            # nobody wants an advertisement twice, and nobody an invoice not at all
            holds = cleaned.get("consent") == Consent.OPT_IN and not cleaned.get("is_critical")
            cleaned["in_doubt"] = "hold" if holds else "resend"
        for field, error in _contradictions(cleaned):
            self.add_error(field, error)
        return cleaned


def _contradictions(rules: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Fields whose rules cannot be meant together, and why."""
    found = []
    if rules.get("is_critical"):
        if rules.get("quiet_from"):
            found.append(("quiet_from", "A critical category does not wait for quiet hours; leave them empty."))
        if rules.get("label"):
            found.append(("label", "What is critical is no advertising; leave the label empty."))
        if rules.get("digest_minutes"):
            found.append(("digest_minutes", "What is critical does not wait for others; leave this empty."))
    if _leaves_too_little(rules):
        found.append(
            ("quiet_spread", "What waited would go out over more hours than quiet hours leave; write fewer minutes.")
        )
    way = (rules.get("seen_within_days"), rules.get("escalate_after"))
    return found + at_odds(rules.get("routing") or "", rules.get("routing_order") or (), *way)


def _leaves_too_little(rules: Mapping[str, Any]) -> bool:
    """Whether the spread reaches from one night into the next."""
    start, end, spread = rules.get("quiet_from"), rules.get("quiet_until"), rules.get("quiet_spread")
    if not (isinstance(start, time) and isinstance(end, time) and spread):
        return False
    loud = (start.hour * 60 + start.minute - end.hour * 60 - end.minute) % _DAY
    return start != end and spread > loud
