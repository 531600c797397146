"""The page "Why did this person (not) get it?"."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.admin.bases import ModelAdmin
from notifications import explaining
from notifications.clock import clock
from notifications.explaining import Nobody, Span
from notifications.models import Delivery

#: How far back it looks unless somebody says otherwise, and at most.
_USUAL, _LONGEST = timedelta(days=7), timedelta(days=92)


class WhyForm(forms.Form):
    """Whom it is about, and which days."""

    who = forms.CharField(
        max_length=254,
        label="Recipient",
        help_text="An external id, an email address or a phone number, in full.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autofocus": True}),
    )
    since = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="Until and including", widget=forms.DateInput(attrs={"type": "date"}))
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Days in their order, and not too many of them."""
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("since", "This day comes after the last one.")
        elif since and until and until - since > _LONGEST:
            self.add_error("since", f"At most {_LONGEST.days} days can be looked through at a time.")
        return cleaned

    def span(self) -> Span:
        """The days asked for, as UTC has them."""
        since = datetime.combine(self.cleaned_data["since"], time(), UTC)
        until = datetime.combine(self.cleaned_data["until"], time(), UTC) + timedelta(days=1)
        before: UUID | None = self.cleaned_data["before"]
        return Span(since, until, before)


class Why(ModelAdmin[Delivery]):
    """The page, for the admin of deliveries to take in."""

    def why_urls(self) -> list[URLPattern]:
        """Its address."""
        return [path("why/", self.admin_site.admin_view(self.why_view), name="notifications_delivery_why")]

    def why_view(self, request: HttpRequest) -> HttpResponse:
        """A form; beneath it what was found, for those who may see both people and the log."""
        if not (request.user.has_perm("accounts.view_recipient") and self.has_view_permission(request)):
            raise PermissionDenied
        at = clock.now()
        usual = {"since": f"{at - _USUAL:%Y-%m-%d}", "until": f"{at:%Y-%m-%d}"}
        form = WhyForm({**usual, **request.GET.dict()} if "who" in request.GET else None, initial=usual)
        context = {**self.admin_site.each_context(request), "title": "Why did this person (not) get it?", "form": form}
        if form.is_bound and form.is_valid():
            context |= self._found(form, at)
        return TemplateResponse(request, "admin/notifications/delivery/why.html", context)

    def _found(self, form: WhyForm, at: datetime) -> dict[str, Any]:
        try:
            person = explaining.found(form.cleaned_data["who"])
        except Nobody as error:
            form.add_error("who", str(error))
            return {}
        told = explaining.happened(person, form.span())
        following = told[-1].delivery.pk if len(told) == explaining.PAGE else None
        return {"person": person, "told": told, "following": following, "now": explaining.applies_now(person, at)}
