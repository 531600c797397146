"""What can be done with a version from its page, and the page that compares two of them."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from accounts.admin.bases import ModelAdmin
from accounts.staff import versions
from templates_app import publishing, reviewing
from templates_app.models import TemplateVersion
from templates_app.moves import Move
from templates_app.reviewing import NotPublishable

#: The permission that each move wants, beside what the table of moves says of it.
PERMISSION_OF: Final[Mapping[Move, str]] = {
    Move.EDIT: "templates_app.change_templateversion",
    Move.SUBMIT: "templates_app.submit_templateversion",
    Move.SEND_BACK: "templates_app.approve_templateversion",
    Move.APPROVE: "templates_app.approve_templateversion",
    Move.PUBLISH: "templates_app.publish_templateversion",
    Move.ROLL_BACK: "templates_app.rollback_templateversion",
}
_NAME: Final = "templates_app_templateversion"


class CompareForm(forms.Form):
    """Which two."""

    before = forms.ModelChoiceField(TemplateVersion.objects.none(), empty_label=None, label="From")
    after = forms.ModelChoiceField(TemplateVersion.objects.none(), empty_label=None, label="To")


def moves_of(request: HttpRequest, version: TemplateVersion) -> frozenset[Move]:
    """What this person can do with this version now: what is possible, and what they may."""
    possible = reviewing.moves_for(version, request.user)
    return frozenset(move for move in possible if request.user.has_perm(PERMISSION_OF[move]))


class ReviewPages(ModelAdmin[TemplateVersion]):
    """The pages, for the admin of versions to take in."""

    change_form_template = "admin/templates_app/templateversion/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """They come before the pages of versions."""
        own = [
            path("compare/", self.admin_site.admin_view(self.compare_view), name=f"{_NAME}_compare"),
            path("<uuid:key>/move/", self.admin_site.admin_view(self.move_view), name=f"{_NAME}_move"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The version's page, with its story and what can be done."""
        version = self.get_object(request, object_id)
        context = self.story_of(request, version) if version else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def story_of(self, request: HttpRequest, version: TemplateVersion) -> dict[str, Any]:
        """Who did what with it so far, and what this person can do now."""
        published = version.template.versions.filter(state="published").exclude(pk=version.pk).first()
        return {
            "steps": reviewing.steps_of(version),
            "moves": {move.value for move in moves_of(request, version)},
            "seen": reviewing.fingerprint(version),
            "opened": versions.version(version),
            "compared_with": published,
        }

    def move_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Make the move that was asked for, and say what came of it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        version = get_object_or_404(self.get_queryset(request).select_related("template"), pk=key)
        move = request.POST.get("move", "")
        if move not in _DOES or not self.has_view_permission(request, version):
            raise PermissionDenied
        if not request.user.has_perm(PERMISSION_OF[Move(move)]):
            raise PermissionDenied
        try:
            landed, says = _DOES[Move(move)](request, version)
        except NotPublishable as error:
            messages.error(request, f"{version}: {error}")
            landed = version
        else:
            messages.success(request, says)
        return redirect(reverse(f"admin:{_NAME}_change", args=[landed.pk]))

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Two versions of one template, field by field."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = _asked_for(self, request)
        form = CompareForm({"before": chosen[0].pk, "after": chosen[1].pk})
        for name in ("before", "after"):
            choice = form.fields[name]
            assert isinstance(choice, forms.ModelChoiceField)
            choice.queryset = chosen[1].template.versions.select_related("template").order_by("-number")
        is_same_template = form.is_valid()
        fields = reviewing.diff(*chosen) if is_same_template else []
        context = {
            **self.admin_site.each_context(request),
            "title": f"From {chosen[0]} to {chosen[1]}",
            "form": form,
            "changed": [field for field in fields if field.is_changed],
            "unchanged": [field for field in fields if not field.is_changed],
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/templates_app/templateversion/compare.html", context)


def _asked_for(pages: ReviewPages, request: HttpRequest) -> tuple[TemplateVersion, TemplateVersion]:
    """The two that are named; the one before, where only one is."""
    versions = pages.get_queryset(request).select_related("template")
    after = get_object_or_404(versions, pk=_uuid(request.GET.get("after", "")))
    if named := _uuid(request.GET.get("before", "")):
        return get_object_or_404(versions, pk=named), after
    earlier = versions.filter(template=after.template_id, number__lt=after.number).order_by("-number").first()
    return earlier or after, after


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


Done = tuple[TemplateVersion, str]


def _submit(request: HttpRequest, version: TemplateVersion) -> Done:
    comment = request.POST.get("comment", "")
    reviewing.submit_for_review(version, timezone.now(), by=request.user, comment=comment)
    return version, f"{version} waits for an approval."


def _send_back(request: HttpRequest, version: TemplateVersion) -> Done:
    reviewing.send_back(version, timezone.now(), by=request.user, comment=request.POST.get("comment", ""))
    return version, f"{version} is a draft again."


def _approve(request: HttpRequest, version: TemplateVersion) -> Done:
    reviewing.approve(version, timezone.now(), by=request.user, seen=request.POST.get("seen", ""))
    return version, f"{version} is approved and published."


def _publish(request: HttpRequest, version: TemplateVersion) -> Done:
    publishing.publish(version, timezone.now(), by=request.user)
    return version, f"{version} is published."


def _roll_back(request: HttpRequest, version: TemplateVersion) -> Done:
    done = reviewing.roll_back(version, timezone.now(), by=request.user)
    return done.version, done.says


_DOES: Final[Mapping[str, Callable[[HttpRequest, TemplateVersion], Done]]] = {
    Move.SUBMIT: _submit,
    Move.SEND_BACK: _send_back,
    Move.APPROVE: _approve,
    Move.PUBLISH: _publish,
    Move.ROLL_BACK: _roll_back,
}
