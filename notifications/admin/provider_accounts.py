"""Provider accounts: how they do, whether they work, and credentials that go in and are never shown again."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

from accounts.admin.bases import ModelAdmin
from notifications.account_report import Report, reports
from notifications.admin.account_form import ProviderAccountForm
from notifications.admin.account_tools import MESSAGE_LEVELS, AccountTools
from notifications.breakers import breakers
from notifications.models import ProviderAccount
from notifications.providers import registry


class ReportingList(ChangeList):
    """A list whose rows know how their accounts do: found out for all of a page together."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, each with its report."""
        super().get_results(request)
        found = reports(list(self.result_list))
        for row in self.result_list:
            vars(row)["report"] = found[row.name]


@admin.register(ProviderAccount)
class ProviderAccountAdmin(AccountTools, ModelAdmin[ProviderAccount]):
    """The accounts by which messages leave."""

    form = ProviderAccountForm
    change_form_template = "admin/notifications/provideraccount/change_form.html"
    list_display = ("name", "mode", "now", "is_active", "rank", "sends_to")
    list_filter = ("provider", "mode", "is_active")
    list_select_related = ("diverted_to",)
    search_fields = ("name",)
    ordering = ("provider", "mode", "rank", "name")
    readonly_fields = ("now",)
    actions = ("try_now",)

    def get_fieldsets(self, request: HttpRequest, obj: ProviderAccount | None = None) -> Any:
        """How it does comes first, once it exists."""
        sections = [
            (None, {"fields": ("name", "provider", "mode", "endpoint", "rank", "is_active")}),
            ("Credentials and settings", {"fields": ("new_credentials", "ask_provider", "settings")}),
            ("Limits", {"fields": ("messages_per_s", "segments_per_s", "at_once")}),
        ]
        return [(None, {"fields": ("now",)}), *sections] if obj else sections

    def get_urls(self) -> list[URLPattern]:
        """The pages of the tools come before the pages of accounts."""
        return [*self.tool_urls(), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The list with reports."""
        return ReportingList

    def save_model(self, request: HttpRequest, obj: ProviderAccount, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Say what the provider said, where it was asked."""
        super().save_model(request, obj, form, change)
        if judgement := form.judgement:
            messages.add_message(request, MESSAGE_LEVELS[judgement.standing], f"{obj.provider}: {judgement.says}")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a new account, which explains the provider that was chosen."""
        return super().add_view(request, form_url, {"providers": registry.NAMES, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The account's page, with its tools."""
        account = self.get_object(request, object_id)
        context = self.tools_of(request, account) if account else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    @admin.action(description="Close the breaker: it was mended", permissions=["change"])
    def try_now(self, request: HttpRequest, chosen: QuerySet[ProviderAccount]) -> None:
        """Send by these accounts again at once, after a balance was topped up or a credential replaced."""
        try:
            for account in chosen:
                breakers.close(account.name)
                self.log_change(request, account, "Closed the breaker.")
        except RedisError as error:
            self.message_user(request, f"Redis does not answer ({type(error).__name__}).", messages.ERROR)
        else:
            self.message_user(request, f"{len(chosen)} are sent by again.", messages.SUCCESS)

    @admin.display(description="now, and the last five minutes")
    def now(self, account: ProviderAccount) -> SafeString:
        """Breaker, buckets, successes and latencies, and the latest trouble."""
        report: Report = vars(account).get("report") or reports([account])[account.name]
        return render_to_string(
            "admin/notifications/provideraccount/now.html",
            {"account": account, "report": report, "health": report.health},
        )

    @admin.display(description="sends to", ordering="endpoint")
    def sends_to(self, account: ProviderAccount) -> SafeString | str:
        """Its endpoint, or who sends in its place."""
        if account.diverted_to is None:
            return account.endpoint or "the provider's own"
        return render_to_string("admin/notifications/provideraccount/diverted.html", {"account": account})
