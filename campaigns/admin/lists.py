"""Segments from a file: uploaded, watched as they are read, and told what came of them."""

from typing import Any, BinaryIO, Final
from uuid import UUID

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.bases import ModelAdmin
from campaigns.models import Segment, Upload
from campaigns.segments import lines, members, uploading
from campaigns.vocabulary import SegmentKind, UploadMode, UploadState
from notifications.clock import clock

#: Files that the page of a segment tells of.
_SHOWN: Final = 5


class ListForm(forms.Form):
    """A file, and what becomes of those who are on the list already."""

    file = forms.FileField(help_text="CSV in UTF-8, with commas or semicolons.")
    mode = forms.ChoiceField(
        label="Those on the list now",
        choices=[
            (UploadMode.ADD.value, "stay: the file adds to them"),
            (UploadMode.REPLACE.value, "go: the file replaces them"),
        ],
    )

    def clean_file(self) -> Any:
        """As long as a list can be."""
        file = self.cleaned_data["file"]
        if file.size > uploading.LARGEST:
            raise forms.ValidationError(f"Larger than {uploading.LARGEST // 1_000_000} MB; divide the file.")
        return file


class Lists(ModelAdmin[Segment]):
    """The pages of files for lists."""

    def list_urls(self) -> list[URLPattern]:
        """Their addresses."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:key>/upload/", view(self.upload_view), name="campaigns_segment_upload"),
            path("<uuid:key>/list/", view(self.list_view), name="campaigns_segment_list"),
        ]

    def upload_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Take in a file: a short one at once, a long one on the page where it can be watched."""
        segment = self._list(request, key)
        if not self.has_change_permission(request, segment):
            raise PermissionDenied
        form = ListForm(request.POST, request.FILES) if request.method == "POST" else ListForm()
        made: list[Upload] = []
        if request.method == "POST" and form.is_valid():
            file: BinaryIO = form.cleaned_data["file"].file
            by = request.user if isinstance(request.user, User) else None
            made = [uploading.upload(segment, file, UploadMode(form.cleaned_data["mode"]), clock.now(), by=by)]
            if made[0].state == UploadState.READING:
                return redirect(reverse("admin:campaigns_segment_change", args=[key]))
            segment.refresh_from_db()
        context = {
            **self.admin_site.each_context(request),
            "title": f"People of {segment}",
            "segment": segment,
            "listed": members.members(segment),
            "form": form,
            "uploads": made,
            "columns": lines.COLUMNS,
            "most": f"{lines.MAX_LINES:,}",
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/campaigns/segment/upload.html", context)

    def list_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """How far its files are read: what the page of a segment asks every other second."""
        told = self.told(request, self._list(request, key))
        html = render_to_string("admin/campaigns/segment/list.html", told, request=request)
        parts = {"html": html, "buttons": "", "says": told["says"], "is_over": not told["is_reading"]}
        return JsonResponse(parts, headers={"Cache-Control": "no-store"})

    def told(self, request: HttpRequest, segment: Segment) -> dict[str, Any]:
        """Who is on a list, and its latest files."""
        uploads = list(Upload.objects.filter(segment=segment).order_by("-id")[:_SHOWN])
        reading = [one for one in uploads if one.state == UploadState.READING]
        return {
            "segment": segment,
            "listed": members.members(segment),
            "uploads": uploads,
            "is_reading": bool(reading),
            "says": _says(uploads),
            "may_write": self.has_change_permission(request, segment),
            "to_upload": True,
        }

    def _list(self, request: HttpRequest, key: UUID) -> Segment:
        segment = self.get_object(request, str(key))
        if segment is None or segment.kind != SegmentKind.LIST:
            raise Http404
        if not self.has_view_permission(request, segment):
            raise PermissionDenied
        return segment


def _says(uploads: list[Upload]) -> str:
    """For whoever listens: of the file that is being read at every tenth, and then how it ended."""
    reading = [one for one in uploads if one.state == UploadState.READING]
    if reading:
        return f"A file is being read, {10 * (reading[-1].percent // 10)} % of it so far."
    if not uploads:
        return ""
    return "The file is read." if uploads[0].state == UploadState.TAKEN else "The file has faults."
