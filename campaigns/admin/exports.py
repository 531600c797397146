"""Files of deliveries: asked for, watched as they are written, and fetched."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.bases import ModelAdmin
from accounts.staff.eyes import SEE, MaskedStream
from campaigns.admin.campaign_report import EXPORT, attached
from campaigns.models import Campaign, Export, Run
from campaigns.reports import exporting
from notifications.clock import clock


class Exports(ModelAdmin[Campaign]):
    """The pages of files. Each file is seen by whoever asked for it, as long as they may have it."""

    def export_urls(self) -> list[URLPattern]:
        """Their addresses."""
        view = self.admin_site.admin_view
        return [
            path("exports/of/<uuid:run>/", view(self.ask_view), name="campaigns_campaign_ask_export"),
            path("exports/<uuid:key>/", view(self.export_view), name="campaigns_campaign_export"),
            path("exports/<uuid:key>/progress/", view(self.progress_view), name="campaigns_campaign_export_progress"),
            path("exports/<uuid:key>/deliveries.csv", view(self.file_view), name="campaigns_campaign_export_file"),
        ]

    def ask_view(self, request: HttpRequest, run: UUID) -> HttpResponse:
        """Ask for a file, and go to where it can be watched."""
        asker = self._asker(request)
        found = get_object_or_404(Run.objects.select_related("campaign"), pk=run)
        if request.method != "POST":
            return redirect(f"{reverse('admin:campaigns_campaign_report', args=[found.campaign_id])}?run={run}")
        export = exporting.ask(found, asker, clock.now())
        return redirect(reverse("admin:campaigns_campaign_export", args=[export.pk]))

    def export_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """How far a file is, and the way to it once it is written."""
        export = self._own(request, key)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Deliveries of {export.run}, {export.run.campaign.clock.key}",
            "export": export,
            "told": _told(export),
            "kept_hours": int(exporting.KEPT.total_seconds() // 3600),
        }
        return TemplateResponse(request, "admin/campaigns/report/export.html", context)

    def progress_view(self, request: HttpRequest, key: UUID) -> JsonResponse:
        """What the page asks every second."""
        return JsonResponse(_told(self._own(request, key)))

    def file_view(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """The file. Its pieces leave one by one."""
        export = self._own(request, key)
        if export.finished_at is None:
            return redirect(reverse("admin:campaigns_campaign_export", args=[key]))
        if export.shows_addresses and not request.user.has_perm(SEE):
            raise PermissionDenied
        name = f"deliveries-{export.run_id}.csv"
        return MaskedStream(exporting.pieces(export), content_type="text/csv; charset=utf-8", headers=attached(name))

    def _own(self, request: HttpRequest, key: UUID) -> Export:
        found = Export.objects.select_related("run__campaign").filter(asked_by=self._asker(request))
        return get_object_or_404(found, pk=key)

    def _asker(self, request: HttpRequest) -> User:
        """Whoever may see campaigns and take away what is known of people."""
        user = request.user
        if not (self.has_view_permission(request) and isinstance(user, User) and user.has_perm(EXPORT)):
            raise PermissionDenied
        return user


def _told(export: Export) -> dict[str, Any]:
    return {
        "percent": export.percent,
        "written": export.written,
        "total": max(export.total, export.written),
        "is_done": export.finished_at is not None,
    }
