"""The doors for people: who can call, who can be reached, and what they agreed to."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from accounts import authentication, devices
from accounts.authentication import NewKey
from accounts.channels import Channel, Mode
from accounts.json_input import JSONInput
from accounts.models import AppKey, Application, Category, Consent, Device, Preference, Recipient, Scope, Suppression
from accounts.recipients import (
    Invalid,
    normal_attributes,
    normal_country,
    normal_email,
    normal_locale,
    normal_phone,
    normal_time_zone,
)

#: How long the secret before stays valid when one is rotated on a page.
_OVERLAP = timedelta(hours=24)


class KeyInline(admin.TabularInline[AppKey, Application]):
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
class ApplicationAdmin(admin.ModelAdmin[Application]):
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
class AppKeyAdmin(admin.ModelAdmin[AppKey]):
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


class DeviceInline(admin.TabularInline[Device, Recipient]):
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


class PreferenceInline(admin.TabularInline[Preference, Recipient]):
    """A person's choices."""

    model = Preference
    extra = 0
    fields = ("category", "channel", "allowed", "source", "changed_at")
    readonly_fields = ("changed_at",)


class RecipientForm(forms.ModelForm[Recipient]):
    """Keeps every value in its normal form."""

    class Meta:
        model = Recipient
        fields = ("external_id", "email", "phone", "locale", "country", "time_zone", "attributes")
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


class PeopleAdmin(admin.ModelAdmin[Any]):
    """Tables with a row or more a person: never counted in full."""

    show_full_result_count = False
    list_per_page = 50


@admin.register(Recipient)
class RecipientAdmin(PeopleAdmin):
    """Search by external id, email or phone, each in full."""

    form = RecipientForm
    list_display = ("external_id", "locale", "country", "updated_at")
    search_fields = ("=external_id", "=email", "=phone")
    search_help_text = "An external id, an email address or a phone number in E.164, in full."
    ordering = ("-id",)
    inlines = (DeviceInline, PreferenceInline)

    def save_model(self, request: HttpRequest, obj: Recipient, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Note when."""
        obj.updated_at = timezone.now()
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Choices that were changed here are signed as on their own page."""
        for inline in formset.forms:
            if isinstance(inline.instance, Preference) and inline.has_changed():
                _sign(inline.instance, request)
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


@admin.register(Device)
class DeviceAdmin(PeopleAdmin):
    """Push tokens: who has them, and why they were retired."""

    list_display = ("id", "recipient", "platform", "service", "app_version", "seen_at", "retired_at")
    list_filter = ("platform", "service", ("retired_at", admin.EmptyFieldListFilter))
    list_select_related = ("recipient",)
    search_fields = ("=recipient__external_id", "=token")
    search_help_text = "A recipient's external id or a token, in full."
    ordering = ("-id",)
    fields = readonly_fields = (
        "recipient", "platform", "service", "ending", "app_version", "registered_at", "seen_at", "retired_at",
        "retired_because",
    )  # fmt: skip
    actions = ("retire",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Apps register tokens; nobody types one."""
        return False

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


class CategoryForm(forms.ModelForm[Category]):
    """A category, with what is usual for its kind where nothing else is chosen."""

    class Meta:
        model = Category
        fields = ("name", "slug", "consent", "is_critical", "in_doubt")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_doubt = self.fields["in_doubt"]
        assert isinstance(in_doubt, forms.TypedChoiceField)
        usual = ("", "As usual: hold what people opted in to, such as advertising; send everything else again")
        in_doubt.required = False
        in_doubt.choices = [usual, *Category.IN_DOUBT.items()]

    def clean(self) -> dict[str, Any]:
        """Nobody wants an advertisement twice, and nobody an invoice not at all."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("in_doubt"):
            holds = cleaned.get("consent") == Consent.OPT_IN and not cleaned.get("is_critical")
            cleaned["in_doubt"] = "hold" if holds else "resend"
        return cleaned


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin[Category]):
    """What messages are about, and what silence means there."""

    form = CategoryForm
    list_display = ("name", "slug", "consent", "is_critical", "in_doubt")
    list_filter = ("consent", "is_critical")
    search_fields = ("name", "slug")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new one does as usual until something else is chosen."""
        return {"in_doubt": "", **super().get_changeform_initial_data(request)}


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
        _sign(obj, request)
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
    search_help_text = "An address, in full."
    ordering = ("-id",)


def _sign(choice: Preference, request: HttpRequest) -> None:
    """Note when a choice was made, and from where unless somebody wrote that."""
    choice.changed_at = timezone.now()
    choice.source = choice.source or f"admin: {request.user}"[:100]


def _show(request: HttpRequest, application: Application, new: NewKey) -> None:
    messages.success(
        request,
        format_html(
            "{}: appKey <code>{}</code>, appSecret <code>{}</code>. Copy the secret now; it is not shown again.",
            application.name,
            new.key,
            new.secret,
        ),
    )
