"""What was agreed: categories, choices, and addresses that nobody may send to."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import consent, suppressions
from accounts.admin.bases import ModelAdmin, ReadOnly
from accounts.admin.categories import CapInline, CategoryForm
from accounts.admin.people import PeopleAdmin, admin_of, sign
from accounts.channels import Channel
from accounts.models import (
    Cap,
    Category,
    ConsentChange,
    Preference,
    ReceivedReply,
    Refusal,
    Suppression,
)
from accounts.recipients import (
    Invalid,
    normal_email,
    normal_phone,
)
from accounts.suppressions import Cause


@admin.register(Category)
class CategoryAdmin(ModelAdmin[Category]):
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
            {"fields": ("routing", "routing_order", "seen_within_days", "escalate_after", "reach")},
        ),
        ("Digest", {"fields": ("digest_minutes",)}),
        ("Caps", {"fields": ("when_capped",)}),
        (
            "What is learned of its messages",
            {
                "fields": ("track_opens", "track_clicks", "track_texts", "attribution_days"),
                "description": "Nothing of messages in critical categories.",
            },
        ),
        ("Review of templates", {"fields": ("needs_approval",)}),
    )

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        """Its choices go with it, and are logged."""
        with transaction.atomic():
            consent.forget_category(obj, timezone.now(), admin_of(request))
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        """Likewise."""
        for category in queryset:
            self.delete_model(request, category)

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
        with consent.noted(obj.recipient, timezone.now(), admin_of(request)):
            super().save_model(request, obj, form, change)

    def get_readonly_fields(self, request: HttpRequest, obj: Preference | None = None) -> tuple[str, ...]:
        """A choice stays its person's."""
        return ("recipient", *self.readonly_fields) if obj else self.readonly_fields

    def delete_model(self, request: HttpRequest, obj: Preference) -> None:
        """Logged as any other change."""
        with consent.noted(obj.recipient, timezone.now(), admin_of(request)):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Preference]) -> None:
        """Person by person, likewise."""
        for choice in queryset.select_related("recipient").order_by("recipient_id", "id"):
            self.delete_model(request, choice)


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

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """A suppression is made or lifted, never turned into another."""
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """As everybody suppresses: repeated without harm, and logged."""
        by = replace(admin_of(request), detail=obj.detail)
        suppressions.suppress(Channel(obj.channel), obj.address, Cause(obj.cause), timezone.now(), by)
        obj.pk = Suppression.objects.get(channel=obj.channel, address=obj.address, cause=obj.cause).pk

    def delete_model(self, request: HttpRequest, obj: Suppression) -> None:
        """Lifted, and logged."""
        self.delete_queryset(request, Suppression.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        """Likewise."""
        suppressions.lift_these(queryset, timezone.now(), admin_of(request))


class ReadOnlyAdmin(ReadOnly, PeopleAdmin):
    """What happened to people's consent."""


@admin.register(ConsentChange)
class ConsentChangeAdmin(ReadOnlyAdmin):
    """The consent log: who changed what, when, by which way."""

    list_display = (
        "at", "aspect", "recipient", "address", "category", "channel", "before", "after", "actor", "actor_name", "via",
    )  # fmt: skip
    list_filter = ("aspect", "actor", "via")
    list_select_related = ("recipient",)
    search_fields = ("=recipient__external_id", "=address")
    search_help_text = "A recipient's external id, or an address, in full."
    ordering = ("-id",)


@admin.register(Refusal)
class RefusalAdmin(PeopleAdmin):
    """Categories that the owners of addresses do not want: said by links in messages that went there."""

    list_display = ("address", "channel", "category", "created_at")
    list_filter = ("channel", "category")
    list_select_related = ("category",)
    search_fields = ("=address",)
    search_help_text = "An address, in full."
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only people themselves say so."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Refusal | None = None) -> bool:
        """It is taken back, or stands."""
        return False

    def delete_model(self, request: HttpRequest, obj: Refusal) -> None:
        """Logged as any other change."""
        consent.unrefuse(Channel(obj.channel), obj.address, obj.category, timezone.now(), admin_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Refusal]) -> None:
        """Likewise."""
        for refusal in queryset.select_related("category").order_by("address", "id"):
            self.delete_model(request, refusal)


@admin.register(ReceivedReply)
class ReceivedReplyAdmin(PeopleAdmin):
    """Who said STOP or START by text message, and when. To be read only."""

    list_display = ("phone", "wish", "keyword", "account", "said_at")
    list_filter = ("wish",)
    search_fields = ("=phone",)
    search_help_text = "A phone number in E.164, in full."
    ordering = ("-said_at", "-id")
    fields = readonly_fields = ("phone", "wish", "keyword", "account", "ref", "said_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only people themselves say so; an operator suppresses an address instead."""
        return False


@admin.register(Cap)
class CapAdmin(ModelAdmin[Cap]):
    """How many messages are too many, for one category or for all together."""

    list_display = ("__str__", "category", "channel", "most", "hours")
    list_filter = ("category", "channel")
    list_select_related = ("category",)
    ordering = ("category__name", "channel", "hours")
