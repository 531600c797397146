"""Audiences: rules in a form that counts as they change, and lists from files. Neither a count nor a look saves."""

import json
from collections.abc import Callable
from typing import Any, BinaryIO, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.bases import ModelAdmin
from accounts.json_input import JSONInput
from accounts.staff import audit, versions
from accounts.staff.audit import Deed
from campaigns.admin.segment_words import words
from campaigns.models import Segment
from campaigns.segments import looking, members
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


class ListForm(forms.Form):
    """A file, and what becomes of those who are on the list already."""

    file = forms.FileField(help_text="CSV in UTF-8, with commas or semicolons.")
    mode = forms.ChoiceField(
        label="Those on the list now",
        choices=[("add", "stay: the file adds to them"), ("replace", "go: the file replaces them")],
    )

    def clean_file(self) -> Any:
        """As long as a list can be."""
        file = self.cleaned_data["file"]
        if file.size > members.LARGEST:
            raise forms.ValidationError(f"Larger than {members.LARGEST // 1_000_000} MB; divide the file.")
        return file


@admin.register(Segment)
class SegmentAdmin(ModelAdmin[Segment]):
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
        tools: dict[str, Callable[..., HttpResponse]] = {
            "look/": self.look_view,
            "<uuid:key>/upload/": self.upload_view,
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"{_NAME}_{route.rstrip('/').rpartition('/')[2]}")
            for route, view in tools.items()
        ]
        return [*own, *super().get_urls()]

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
            "listed": members.members(segment.pk) if segment and is_list else 0,
            "may_write": may_write,
            "words": words(segment) if may_write and not is_list else None,
        }
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """With the moment."""
        obj.changed_at = clock.now()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Segment, post_url_continue: str | None = None) -> HttpResponse:
        """A list wants its file next."""
        usual = super().response_add(request, obj, post_url_continue)
        if obj.kind == SegmentKind.LIST and "_popup" not in request.POST:
            return redirect(reverse(f"admin:{_NAME}_upload", args=[obj.pk]))
        return usual

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What segments name is kept, as what campaigns are for is."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        named = [f"Segment: {name}" for one in objs for name in looking.used_by(one).segments]
        return deleted, counts, needed, [*protected, *named]

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

    def upload_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Put the people of a file on a list; what is wrong with it is told line by line, and then nobody is."""
        segment = self.get_object(request, str(key))
        if segment is None or segment.kind != SegmentKind.LIST:
            raise Http404
        if not self.has_change_permission(request, segment):
            raise PermissionDenied
        form = ListForm(request.POST, request.FILES) if request.method == "POST" else ListForm()
        wrong: members.UnusableList | None = None
        taken: members.Taken | None = None
        if request.method == "POST" and form.is_valid():
            try:
                taken = self._take_over(request, segment, form)
            except members.UnusableList as error:
                wrong = error
        context = {
            **self.admin_site.each_context(request),
            "title": f"People of {segment}",
            "segment": segment,
            "listed": members.members(segment.pk),
            "form": form,
            "wrong": wrong,
            "more_faults": wrong.count - len(wrong.faults) if wrong else 0,
            "taken": taken,
            "more_unknown": taken.unknown - len(taken.first_unknown) if taken else 0,
            "columns": members.COLUMNS,
            "most": f"{members.MAX_LINES:,}",
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/campaigns/segment/upload.html", context)

    def _take_over(self, request: HttpRequest, segment: Segment, form: ListForm) -> members.Taken:
        file: BinaryIO = form.cleaned_data["file"].file
        mode = form.cleaned_data["mode"]
        taken = members.take_over(segment, file, replace=mode == "replace")
        Segment.objects.filter(pk=segment.pk).update(changed_at=clock.now())
        told = f"{mode}: {taken.lines} lines, {taken.people} people on the list, {taken.unknown} unknown"
        audit.note(segment, Deed("uploaded", told), request.user)
        return taken


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
