"""That somebody was erased, not who; and two buttons on a person's page: hand out all that is held, erase it all."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.bases import ReadOnly
from accounts.admin.keyset import KeysetAdmin
from accounts.models import Recipient
from notifications import erasing
from notifications.clock import clock
from notifications.erasing import AlreadyErased
from notifications.exporting import export
from notifications.models import Erasure


@admin.register(Erasure)
class ErasureAdmin(ReadOnly, KeysetAdmin):
    """Read only. When somebody was erased, at whose wish, and how many rows that took."""

    list_display = ("asked_at", "asked_by", "finished_at", "rows")
    list_filter = (("finished_at", admin.EmptyFieldListFilter),)
    fields = ("asked_at", "asked_by", "due_at", "finished_at", "rows")
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Ours come first: Django's last takes everything."""
        tools = {"export": self.export_view, "erase": self.erase_view}
        return [
            path(f"{name}/<uuid:key>/", self.admin_site.admin_view(view), name=f"notifications_erasure_{name}")
            for name, view in tools.items()
        ] + super().get_urls()

    def export_view(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """All that is held on a person, as a file; for those who may take people's data away and see the log."""
        if not request.user.has_perms(("accounts.export_recipient", "notifications.view_delivery")):
            raise PermissionDenied
        person = get_object_or_404(Recipient, pk=key)
        return StreamingHttpResponse(
            export(person, clock.now()),
            content_type="application/json",
            headers={
                "Content-Disposition": f'attachment; filename="{person.external_id}.json"',
                "Cache-Control": "no-store",
            },
        )

    def erase_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Ask once more, then erase; for those who may delete people."""
        if not request.user.has_perm("accounts.delete_recipient"):
            raise PermissionDenied
        person = get_object_or_404(Recipient, pk=key)
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "title": f"Erase {person}?", "person": person}
            return TemplateResponse(request, "admin/notifications/erasure/confirm.html", context)
        if request.POST.get("external_id", "").strip() != person.external_id:
            messages.error(request, "Nothing was erased: that is not this person's external id.")
            return redirect(request.path)
        try:
            erasure = erasing.erase(person, by=f"admin: {request.user}", clock=clock.now)
        except AlreadyErased:
            messages.warning(request, "Somebody else erased this person a moment ago.")
        else:
            self.log_addition(request, erasure, "Erased a person.")
            messages.success(request, "The person is erased. A long log is done within minutes.")
        return redirect(reverse("admin:accounts_recipient_changelist"))
