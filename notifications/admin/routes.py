"""Routes: which accounts send what, and what their weights have become by themselves."""

from typing import Any, Final

import phonenumbers
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.admin.bases import ModelAdmin, TabularInline
from accounts.channels import Channel, Mode, PushService
from accounts.devices import SERVICES_OF
from notifications import drifting
from notifications.breakers import opened
from notifications.models import Route, RouteStep
from notifications.providers import registry
from notifications.vocabulary import QUEUE_OF_PLATFORM

#: The digits with which numbers of some country begin.
_COUNTRIES: Final = tuple(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
#: The queues in which devices of a push service wait.
_QUEUES_OF: Final = {
    service: {QUEUE_OF_PLATFORM[platform].value for platform, services in SERVICES_OF.items() if service in services}
    for service in PushService
}


class RouteForm(forms.ModelForm[Route]):
    """Whom a route is for."""

    class Meta:
        model = Route
        fields = ("mode", "channel", "queue", "prefix")

    def clean_prefix(self) -> str:
        """A country, or more digits of a number."""
        prefix = "".join(self.cleaned_data["prefix"].split())
        if not prefix:
            return ""
        digits = prefix.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            raise forms.ValidationError("Write a plus sign and digits, as +82.")
        if not prefix.startswith("+"):
            raise forms.ValidationError(f"Write it with the plus sign and the country: +{digits}, if {digits} is one.")
        if not any(digits.startswith(country) or country.startswith(digits) for country in _COUNTRIES):
            raise forms.ValidationError(f"No country's numbers begin with {prefix}; Korea's, for one, begin with +82.")
        return prefix

    def clean(self) -> dict[str, Any]:
        """What only one channel has is left empty for the others."""
        cleaned = super().clean() or self.cleaned_data
        channel = cleaned.get("channel")
        if cleaned.get("queue") and channel != Channel.PUSH:
            self.add_error("queue", "Only push has platforms; leave this empty.")
        if cleaned.get("prefix") and channel != Channel.SMS:
            self.add_error("prefix", "Only text messages go to numbers; leave this empty.")
        return cleaned


class RouteSteps(forms.BaseInlineFormSet[RouteStep, Route, forms.ModelForm[RouteStep]]):
    """The accounts of a route, checked together."""

    def clean(self) -> None:
        """Refuse what would send nothing, or not what the route is for."""
        super().clean()
        steps = [form for form in self.forms if form.cleaned_data.get("account") and not form.cleaned_data["DELETE"]]
        for form in steps:
            for complaint in _complaints(self.instance, form.cleaned_data["account"]):
                form.add_error("account", complaint)
        if steps and not any(form.cleaned_data.get("weight") for form in steps):
            raise ValidationError("Every weight is 0: this would send nothing. Give one account a weight at least.")


def _complaints(route: Route, account: Any) -> list[str]:
    """What is wrong with an account on a route."""
    found = []
    channel = registry.channel_of(account.provider) if account.provider in registry.NAMES else None
    if route.channel and channel != route.channel:
        sends = f"sends {channel}" if channel else "sends nothing"
        found.append(
            f"{account} is an account of {account.provider}, which {sends}; this route is for {route.channel}."
        )
    elif channel is Channel.PUSH and route.queue and route.queue not in _QUEUES_OF[PushService(account.provider)]:
        found.append(f"{account.provider} reaches no {route.queue} devices.")
    if account.mode != route.mode:
        whom = "reach nobody" if route.mode == Mode.LIVE else "reach people"
        found.append(f"{account} is a {account.mode} account; what a {route.mode} route sent by it would {whom}.")
    return found


class RouteStepInline(TabularInline[RouteStep, Route]):
    """The accounts of a route."""

    model = RouteStep
    formset = RouteSteps
    extra = 1
    min_num = 1
    validate_min = True
    ordering = ("position", "-weight")

    def get_formset(self, request: HttpRequest, obj: Route | None = None, **options: Any) -> Any:
        """At least one account."""
        return super().get_formset(request, obj, validate_min=True, **options)


@admin.register(Route)
class RouteAdmin(ModelAdmin[Route]):
    """Without routes, all accounts of a channel serve in the order of their ranks."""

    form = RouteForm
    inlines = (RouteStepInline,)
    list_display = ("name", "mode", "channel", "queue", "prefix", "accounts")
    list_filter = ("mode", "channel")
    ordering = ("mode", "channel", "queue", "prefix")
    readonly_fields = ("at_present",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        """With their steps: the list tells them all."""
        return super().get_queryset(request).prefetch_related("steps__account")

    def get_fields(self, request: HttpRequest, obj: Route | None = None) -> Any:
        """A new one has no present."""
        written = ("mode", "channel", "queue", "prefix")
        return (*written, "at_present") if obj else written

    @admin.display(description="route")
    def name(self, route: Route) -> str:
        """What it is for."""
        return str(route)

    @admin.display(description="accounts")
    def accounts(self, route: Route) -> str:
        """All of them, in their order."""
        steps = sorted(route.steps.all(), key=lambda step: (step.position, -step.weight))
        return ", ".join(f"{step.position}. {step.account} × {step.weight}" for step in steps)

    @admin.display(description="at present")
    def at_present(self, route: Route) -> SafeString:
        """What has become of the weights, and why."""
        factors, resting = drifting.factors(), opened()
        steps = [
            {
                "account": step.account,
                "position": step.position,
                "weight": step.weight,
                "now": round(step.weight * factors.get(step.account.name, 1.0), 1),
                "is_active": step.account.is_active,
                "is_open": step.account.name in resting,
            }
            for step in route.steps.select_related("account").order_by("position", "-weight")
        ]
        changes = drifting.changes([str(step["account"]) for step in steps])
        return render_to_string("admin/notifications/route/present.html", {"steps": steps, "changes": changes})
