"""What was agreed: categories, choices, and addresses that nobody may send to."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.categories import CapInline, CategoryForm
from accounts.admin.people import PeopleAdmin, sign
from accounts.channels import Channel
from accounts.models import (
    Cap,
    Category,
    Preference,
    ReceivedReply,
    Suppression,
)
from accounts.recipients import (
    Invalid,
    normal_email,
    normal_phone,
)


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin[Category]):
    """What messages are about, what silence means there, and the rules by which they go."""

    form = CategoryForm
    inlines = (CapInline,)
    list_display = ("name", "slug", "consent", "is_critical", "quiet_hours", "routing", "in_doubt")
    list_filter = ("consent", "is_critical", "routing")
    search_fields = ("name", "slug")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "slug", "preset")}),
        ("Consent and doubt", {"fields": ("consent", "is_critical", "in_doubt")}),
        ("Quiet hours and label", {"fields": (("quiet_from", "quiet_until", "quiet_spread"), "label")}),
        (
            "Channels and devices",
            {"fields": ("routing", "routing_order", "seen_within_days", "reach")},
        ),
        ("Caps", {"fields": ("when_capped",)}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new one does as usual until something else is chosen."""
        return {"in_doubt": "", **super().get_changeform_initial_data(request)}

    @admin.display(description="quiet hours")
    def quiet_hours(self, category: Category) -> str:
        """From when until when."""
        if category.quiet_from is None or category.quiet_until is None:
            return "–"
        return f"{category.quiet_from:%H:%M} to {category.quiet_until:%H:%M}"


@admin.register(Preference)
class PreferenceAdmin(PeopleAdmin):
    """Opt-ins and opt-outs."""

    list_display = ("recipient", "category", "channel", "allowed", "changed_at", "source")
    list_filter = ("allowed", "channel", "category")
    list_select_related = ("recipient", "category")
    search_fields = ("=recipient__external_id",)
    search_help_text = "A recipient's external id, in full."
    ordering = ("-id",)
    raw_id_fields = ("recipient",)
    fields = ("recipient", "category", "channel", "allowed", "source", "changed_at")
    readonly_fields = ("changed_at",)

    def save_model(self, request: HttpRequest, obj: Preference, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Note when, and from where."""
        sign(obj, request)
        super().save_model(request, obj, form, change)


class SuppressionForm(forms.ModelForm[Suppression]):
    """Keeps the address as senders look it up."""

    class Meta:
        model = Suppression
        fields = ("channel", "address", "cause", "detail")

    def clean(self) -> dict[str, Any]:
        """An email address or a phone number, in its normal form."""
        cleaned = super().clean() or self.cleaned_data
        if address := cleaned.get("address"):
            try:
                is_email = cleaned.get("channel") == Channel.EMAIL
                cleaned["address"] = normal_email(address) if is_email else normal_phone(address)
            except Invalid as error:
                self.add_error("address", str(error))
        return cleaned


@admin.register(Suppression)
class SuppressionAdmin(PeopleAdmin):
    """Addresses nobody may send to."""

    form = SuppressionForm
    list_display = ("address", "channel", "cause", "detail", "created_at")
    list_filter = ("channel", "cause")
    search_fields = ("=address",)
    search_help_text = "An address, in full. It finds what was left of an erased person's, too."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        """Exact and as stored; or the trace of it."""
        term = search_term.strip().lower()
        return (queryset & Suppression.objects.standing([term]) if term else queryset), False


@admin.register(ReceivedReply)
class ReceivedReplyAdmin(PeopleAdmin):
    """Who said STOP or START by text message, and when. To be read only."""

    list_display = ("phone", "wish", "keyword", "account", "said_at")
    list_filter = ("wish",)
    search_fields = ("=phone",)
    search_help_text = "A phone number in E.164, in full."
    ordering = ("-said_at",)
    fields = readonly_fields = ("phone", "wish", "keyword", "account", "ref", "said_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only people themselves say so; an operator suppresses an address instead."""
        return False


@admin.register(Cap)
class CapAdmin(admin.ModelAdmin[Cap]):
    """How many messages are too many, for one category or for all together."""

    list_display = ("__str__", "category", "channel", "most", "hours")
    list_filter = ("category", "channel")
    list_select_related = ("category",)
    ordering = ("category__name", "channel", "hours")
