"""Audiences: rules in a form that counts as they change, and lists from files. Neither a count nor a look saves."""

import json
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from accounts.json_input import JSONInput
from accounts.staff import versions
from campaigns.admin.lists import Lists
from campaigns.admin.segment_words import words
from campaigns.models import Segment
from campaigns.segments import looking, saving
from campaigns.segments.compiling import UnusableRules, checked
from campaigns.vocabulary import SegmentKind
from notifications.clock import clock

_NAME: Final = "campaigns_segment"


class SegmentForm(forms.ModelForm[Segment]):
    """A name and rules that can be used. What a segment is it stays: people rely on it."""

    class Meta:
        model = Segment
        fields = ("name", "kind", "rules")
        field_classes = {"rules": JSONInput}
        help_texts = {
            "kind": "Rules: whoever meets them when a campaign begins. List: whoever was in a file, uploaded next.",
        }

    def clean(self) -> dict[str, Any]:
        """What is wrong with the rules is told with its place in them."""
        cleaned = super().clean() or self.cleaned_data
        versions.must_be_as_opened(self)
        if (cleaned.get("kind") or self.instance.kind) == SegmentKind.LIST:
            cleaned["rules"] = {}
        elif "rules" in cleaned:
            cleaned["rules"] = {} if cleaned["rules"] is None else cleaned["rules"]
            try:
                checked(cleaned["rules"], clock.now(), own=self.instance.pk)
            except UnusableRules as error:
                self.add_error("rules", str(error))
        return cleaned


@admin.register(Segment)
class SegmentAdmin(Lists):
    """Segments. Without JavaScript the rules are written as JSON."""

    form = SegmentForm
    change_form_template = "admin/campaigns/segment/change_form.html"
    fields = ("name", "kind", "rules")
    list_display = ("name", "kind", "uses", "changed_at")
    list_filter = ("kind",)
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        """With how many campaigns are for each."""
        return super().get_queryset(request).annotate(campaign_count=Count("campaigns"))

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> tuple[str, ...]:
        """Rules do not become a list, nor a list rules."""
        return ("kind",) if obj else ()

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> tuple[str, ...]:
        """A list has no rules."""
        return ("name", "kind") if obj and obj.kind == SegmentKind.LIST else ("name", "kind", "rules")

    @admin.display(description="used by", ordering="campaign_count")
    def uses(self, segment: Any) -> str:
        """How many campaigns are for it."""
        count = segment.campaign_count
        return f"{count} campaign{'s' if count > 1 else ''}" if count else "–"

    def get_urls(self) -> list[URLPattern]:
        """They come before the pages of segments."""
        look = path("look/", self.admin_site.admin_view(self.look_view), name=f"{_NAME}_look")
        return [look, *self.list_urls(), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, with what the builder knows; a word of warning where a campaign may go out at any moment."""
        segment = self.get_object(request, object_id) if object_id else None
        use = looking.used_by(segment) if segment else None
        if use and use.active and request.method == "GET" and self.has_change_permission(request, segment):
            named = ", ".join(f"“{name}”" for name in use.active)
            messages.warning(request, f"In use by {named}: what begins after a change goes to whom it means then.")
        may_write = self.has_change_permission(request, segment) if segment else self.has_add_permission(request)
        is_list = segment is not None and segment.kind == SegmentKind.LIST
        context = {
            "use": use,
            "opened": versions.version(segment) if segment else "",
            "is_list": is_list,
            "may_write": may_write,
            "words": words(segment) if may_write and not is_list else None,
        }
        if segment and is_list:
            context |= self.told(request, segment)
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """With the moment. Its lists may change meanwhile, and are left alone."""
        obj.changed_at = clock.now()
        obj.save(update_fields=["name", "kind", "rules", "changed_at"] if change else None)

    def delete_model(self, request: HttpRequest, obj: Segment) -> None:
        """A file that is being read is waited for, for a step."""
        saving.lock([obj.pk])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        """Likewise."""
        saving.lock(list(queryset.values_list("pk", flat=True)))
        super().delete_queryset(request, queryset)

    def response_add(self, request: HttpRequest, obj: Segment, post_url_continue: str | None = None) -> HttpResponse:
        """A list wants its file next."""
        usual = super().response_add(request, obj, post_url_continue)
        if obj.kind == SegmentKind.LIST and "_popup" not in request.POST:
            return redirect(reverse(f"admin:{_NAME}_upload", args=[obj.pk]))
        return usual

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What a campaign or a segment is for is kept. Who is on a list goes with it, and is not told one by one."""
        used = [looking.used_by(one) for one in objs]
        protected = [f"Campaign: {name}" for one in used for name in one.campaigns]
        protected += [f"Segment: {name}" for one in used for name in one.segments]
        return [str(one) for one in objs], {"segments": len(objs)}, set(), protected

    def look_view(self, request: HttpRequest) -> HttpResponse:
        """How many people unsaved rules mean, ten of them, and what is wrong with which rule."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.has_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        try:
            seen = looking.look(_rules(request), clock.now(), _uuid(request.POST.get("segment", "")))
        except UnusableRules as error:
            return JsonResponse(
                {"place": error.place, "says": str(error), "short": error.says[:1].upper() + error.says[1:]}
            )
        people = f"{seen.people:,} {'person' if seen.people == 1 else 'people'}"
        some = [[one.external_id, one.locale, one.country, one.email, one.phone] for one in seen.some]
        return JsonResponse({"people": people, "some": some})


def _rules(request: HttpRequest) -> Any:
    try:
        return json.loads(request.POST.get("rules", "") or "{}")
    except (ValueError, RecursionError):
        raise UnusableRules("", "the rules are no JSON, or are nested too deeply.") from None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
