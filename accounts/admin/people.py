"""Who can be reached: recipients and their devices."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import consent, consent_log, devices
from accounts.admin.bases import TabularInline
from accounts.admin.keyset import KeysetAdmin
from accounts.consent import Actor, Via, Witness
from accounts.json_input import JSONInput
from accounts.models import (
    GOOGLE_EXPIRES,
    Device,
    Preference,
    Recipient,
)
from accounts.recipients import (
    Invalid,
    normal_attributes,
    normal_country,
    normal_email,
    normal_locale,
    normal_phone,
    normal_time_zone,
)


class DeviceInline(TabularInline[Device, Recipient]):
    """A person's push tokens, without the tokens."""

    model = Device
    extra = 0
    fields = readonly_fields = (
        "platform", "service", "app_version", "registered_at", "seen_at", "retired_at", "retired_because",
    )  # fmt: skip
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Apps register tokens; nobody types one."""
        return False


class PreferenceInline(TabularInline[Preference, Recipient]):
    """A person's choices."""

    model = Preference
    extra = 0
    fields = ("category", "channel", "allowed", "source", "changed_at")
    readonly_fields = ("changed_at",)


class RecipientForm(forms.ModelForm[Recipient]):
    """Keeps every value in its normal form."""

    class Meta:
        model = Recipient
        fields = (
            "external_id",
            "email",
            "phone",
            "locale",
            "country",
            "time_zone",
            "quiet_from",
            "quiet_until",
            "attributes",
        )
        field_classes = {"attributes": JSONInput}

    def clean(self) -> dict[str, Any]:
        """Each value as the API would keep it."""
        cleaned = super().clean() or self.cleaned_data
        normals: dict[str, Callable[[Any], Any]] = {
            "email": normal_email,
            "phone": normal_phone,
            "locale": normal_locale,
            "country": normal_country,
            "time_zone": normal_time_zone,
            "attributes": normal_attributes,
        }
        for name, normal in normals.items():
            if value := cleaned.get(name):
                try:
                    cleaned[name] = normal(value)
                except Invalid as error:
                    self.add_error(name, str(error))
        return cleaned


class PeopleAdmin(KeysetAdmin):
    """Tables with a row or more a person."""


@admin.register(Recipient)
class RecipientAdmin(PeopleAdmin):
    """Search by external id, email or phone, each in full."""

    form = RecipientForm
    list_display = ("external_id", "locale", "country", "updated_at")
    search_fields = ("=external_id", "=email", "=phone")
    search_help_text = "An external id, an email address or a phone number in E.164, in full."
    ordering = ("-id",)
    inlines = (DeviceInline, PreferenceInline)
    actions = ("consents_as_csv", "consents_as_json")

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may look at people may not for that take them along."""
        return request.user.has_perm("accounts.export_recipient")

    @admin.action(description="Download the consent log of these people (CSV)", permissions=["export"])
    def consents_as_csv(self, _request: HttpRequest, chosen: QuerySet[Recipient]) -> HttpResponse:
        """Every change of what they agreed to."""
        text = consent_log.as_csv(consent_log.lines_of(chosen.order_by("id")))
        # Excel takes a file for UTF-8 only where it begins with a mark
        return _download(f"\ufeff{text}", "text/csv", "consents.csv")

    @admin.action(description="Download the consent log of these people (JSON)", permissions=["export"])
    def consents_as_json(self, _request: HttpRequest, chosen: QuerySet[Recipient]) -> HttpResponse:
        """Every change of what they agreed to."""
        text = consent_log.as_json(consent_log.lines_of(chosen.order_by("id")))
        return _download(text, "application/json", "consents.json")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A person is erased everywhere, by the button on their page: a deleted row would leave its log behind."""
        return False

    def save_model(self, request: HttpRequest, obj: Recipient, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Note when."""
        obj.updated_at = timezone.now()
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Choices that were changed here are signed and logged as on their own page."""
        for inline in formset.forms:
            if isinstance(inline.instance, Preference) and inline.has_changed():
                sign(inline.instance, request)
        with consent.noted(form.instance, timezone.now(), admin_of(request)):
            super().save_formset(request, form, formset, change)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Recipient], search_term: str
    ) -> tuple[QuerySet[Recipient], bool]:
        """Exact and as stored, so that an index serves each of the three."""
        term = search_term.strip()
        if not term:
            return queryset, False
        same = queryset.filter
        return same(external_id=term) | same(email=term.lower()) | same(phone=term), False


class HeardOfFilter(admin.SimpleListFilter):
    """Which installations are still in use, as far as anybody knows."""

    title = "heard of"
    parameter_name = "heard"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        """What can be asked for."""
        return [
            ("stale", f"Stale: not for {settings.DEVICE_STALE_DAYS} days"),
            ("expired", f"Expired: by FCM's rule, not for {GOOGLE_EXPIRES.days} days"),
        ]

    def queryset(self, _request: HttpRequest, devices: QuerySet[Device]) -> QuerySet[Device]:
        """Those live devices; all devices where nothing is asked for."""
        match self.value():
            case "stale":
                return devices & Device.objects.stale(timezone.now())
            case "expired":
                return devices & Device.objects.expired(timezone.now())
            case _:
                return devices


@admin.register(Device)
class DeviceAdmin(PeopleAdmin):
    """Push tokens: who has them, why they were retired, and which have not been heard of for long."""

    list_display = ("id", "recipient", "platform", "service", "app_version", "seen_at", "is_stale", "retired_at")
    list_filter = ("platform", "service", HeardOfFilter, ("retired_at", admin.EmptyFieldListFilter))
    list_select_related = ("recipient",)
    search_fields = ("=recipient__external_id", "=token")
    search_help_text = "A recipient's external id or a token, in full."
    ordering = ("-id",)
    fields = readonly_fields = (
        "recipient", "platform", "service", "ending", "app_version", "registered_at", "seen_at", "is_stale",
        "retired_at", "retired_because",
    )  # fmt: skip
    actions = ("retire",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Apps register tokens; nobody types one."""
        return False

    @admin.display(boolean=True, description="stale")
    def is_stale(self, device: Device) -> bool:
        """Whether its app has been silent for long."""
        return device.is_stale(timezone.now())

    @admin.display(description="token")
    def ending(self, device: Device) -> str:
        """Enough to tell two apart."""
        return f"… {device.token[-6:]}"

    @admin.action(description="Retire: nothing is sent there any more", permissions=["change"])
    def retire(self, request: HttpRequest, chosen: QuerySet[Device]) -> None:
        """Until an app registers the token again."""
        why = f"retired by {request.user}"
        retired = devices.retire_many([(device.id, None, why) for device in chosen], timezone.now())
        self.message_user(request, f"{retired} retired.")


def admin_of(request: HttpRequest) -> Witness:
    """Who changes consent by these pages."""
    return Witness(Actor.ADMIN, Via.ADMIN, str(request.user))


def sign(choice: Preference, request: HttpRequest) -> None:
    """Note when a choice was made, and from where unless somebody wrote that."""
    choice.changed_at = timezone.now()
    choice.source = choice.source or f"admin: {request.user}"[:100]


def _download(text: str, kind: str, name: str) -> HttpResponse:
    return HttpResponse(
        text,
        content_type=f"{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
