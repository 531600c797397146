"""Who can call: applications and their keys."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from accounts import authentication
from accounts.admin.bases import ModelAdmin, TabularInline
from accounts.authentication import NewKey
from accounts.channels import Mode
from accounts.models import (
    AppKey,
    Application,
    Scope,
)
from accounts.staff import audit
from accounts.staff.audit import Deed

#: How long the secret before stays valid when one is rotated on a page.
_OVERLAP = timedelta(hours=24)


class KeyInline(TabularInline[AppKey, Application]):
    """An application's keys, without their secrets."""

    model = AppKey
    extra = 0
    fields = ("key", "mode", "created_at", "previous_until", "revoked_at")
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keys are made by an action, which shows the secret once."""
        return False


class ApplicationForm(forms.ModelForm[Application]):
    """Scopes as boxes to tick."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope], widget=forms.CheckboxSelectMultiple, required=False
    )

    class Meta:
        model = Application
        fields = ("name", "scopes", "rate_limit", "is_active")


@admin.register(Application)
class ApplicationAdmin(ModelAdmin[Application]):
    """API clients, and the way to their keys."""

    form = ApplicationForm
    list_display = ("name", "rate_limit", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "keys__key")
    search_help_text = "A name or an appKey."
    ordering = ("name",)
    inlines = (KeyInline,)
    actions = ("create_live_key", "create_test_key")

    @admin.action(description="Create a live key", permissions=["change"])
    def create_live_key(self, request: HttpRequest, applications: QuerySet[Application]) -> None:
        """Its messages reach people."""
        for application in applications:
            _show(request, application, authentication.create_key(application, Mode.LIVE))

    @admin.action(description="Create a test key", permissions=["change"])
    def create_test_key(self, request: HttpRequest, applications: QuerySet[Application]) -> None:
        """Its messages reach the sandbox only."""
        for application in applications:
            _show(request, application, authentication.create_key(application, Mode.TEST))


@admin.register(AppKey)
class AppKeyAdmin(ModelAdmin[AppKey]):
    """Rotate secrets, revoke keys."""

    list_display = ("key", "application", "mode", "created_at", "previous_until", "revoked_at")
    list_filter = ("mode", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("application",)
    search_fields = ("key", "application__name")
    ordering = ("-created_at",)
    fields = readonly_fields = ("key", "application", "mode", "created_at", "previous_until", "revoked_at")
    actions = ("rotate_secret", "revoke")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Keys are made on the page of their application."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A key that was used stays on record; revoke it."""
        return False

    @admin.action(description="Rotate the secret; the old one stays valid for 24 hours", permissions=["change"])
    def rotate_secret(self, request: HttpRequest, keys: QuerySet[AppKey]) -> None:
        """Two secrets are valid meanwhile, so that a product can change over without an outage."""
        for key in keys.select_related("application"):
            try:
                _show(request, key.application, authentication.rotate(key.key, timezone.now(), _OVERLAP))
            except authentication.KeyUnusable as error:
                self.message_user(request, str(error), messages.ERROR)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[AppKey]) -> None:
        """End the keys and all of their secrets."""
        ended = sum(authentication.revoke(key.key, timezone.now()) for key in keys)
        self.message_user(request, f"{ended} revoked.")


def _show(request: HttpRequest, application: Application, new: NewKey) -> None:
    """Tell the secret, this once; the audit log is told of the key alone."""
    detail = f"key {new.key} of {application}"
    audit.note(AppKey(pk=new.key), Deed("new secret", detail), request.user)
    messages.success(
        request,
        format_html(
            "{}: appKey <code>{}</code>, appSecret <code>{}</code>. Copy the secret now; it is not shown again.",
            application.name,
            new.key,
            new.secret,
        ),
    )
