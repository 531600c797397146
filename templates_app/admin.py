"""The doors for people who own the words."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.channels import Channel
from accounts.json_input import JSONInput
from accounts.locales import NotALocale, normal
from accounts.policies import at_odds
from templates_app import publishing
from templates_app.models import Template, TemplateVersion, VersionState
from templates_app.publishing import NotPublishable
from templates_app.rendering import ContentError, compile_content


class VersionInline(admin.TabularInline[TemplateVersion, Template]):
    """The versions of a template, and the way to each."""

    model = TemplateVersion
    extra = 0
    fields = readonly_fields = ("number", "state", "created_at", "published_at")
    ordering = ("-number",)
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A version is begun as a draft, on its own page."""
        return False


class TemplateForm(forms.ModelForm[Template]):
    """Keeps the locale as content must name it, and the way it takes where it is another than its category's."""

    routing_order = forms.CharField(
        required=False, help_text="Channels with commas between, the first choice first. Empty: as its category."
    )

    class Meta:
        model = Template
        fields = (
            "name", "title", "category", "default_locale",
            "routing", "routing_order", "seen_within_days", "escalate_after", "reach",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["routing_order"] = ", ".join(self.instance.routing_order)

    def clean_routing_order(self) -> list[str]:
        """The channels as a list, each once."""
        names = [name.strip().lower() for name in self.cleaned_data["routing_order"].split(",") if name.strip()]
        if unknown := [name for name in names if name not in list(Channel)]:
            raise forms.ValidationError(f"{unknown[0][:20]!r} is no channel; there are {', '.join(Channel)}.")
        if len(set(names)) < len(names):
            raise forms.ValidationError("Each channel stands in the order once.")
        return names

    def clean(self) -> dict[str, Any]:
        """A way that can be meant."""
        cleaned = super().clean() or self.cleaned_data
        said = (cleaned.get("routing") or "", cleaned.get("routing_order") or ())
        for field, error in at_odds(*said, cleaned.get("seen_within_days"), cleaned.get("escalate_after")):
            self.add_error(field, error)
        return cleaned

    def clean_default_locale(self) -> str:
        """As BCP 47 writes it."""
        try:
            return normal(self.cleaned_data["default_locale"])
        except NotALocale as error:
            raise forms.ValidationError(str(error)) from None


@admin.register(Template)
class TemplateAdmin(admin.ModelAdmin[Template]):
    """Named messages."""

    form = TemplateForm
    list_display = ("name", "title", "category", "default_locale")
    list_filter = ("category",)
    list_select_related = ("category",)
    search_fields = ("name", "title")
    ordering = ("name",)
    inlines = (VersionInline,)


class VersionForm(forms.ModelForm[TemplateVersion]):
    """Tells the place of a mistake in the text before it is saved."""

    class Meta:
        model = TemplateVersion
        fields = ("template", "content", "sample_data")
        field_classes = {"content": JSONInput, "sample_data": JSONInput}

    def clean_content(self) -> Any:
        """Content that can be compiled."""
        content = self.cleaned_data["content"]
        try:
            compile_content(content)
        except ContentError as error:
            raise forms.ValidationError(str(error)) from None
        return content

    def clean_sample_data(self) -> dict[str, Any]:
        """An object, as applications send it."""
        sample_data = self.cleaned_data["sample_data"] or {}
        if not isinstance(sample_data, dict):
            raise forms.ValidationError('Write an object, for example {"user_name": "지민"}.')
        return sample_data


@admin.register(TemplateVersion)
class TemplateVersionAdmin(admin.ModelAdmin[TemplateVersion]):
    """Editions: drafts can be changed, published ones cannot."""

    form = VersionForm
    list_display = ("__str__", "state", "created_at", "published_at")
    list_filter = ("state", "template")
    list_select_related = ("template",)
    search_fields = ("template__name",)
    ordering = ("-created_at",)
    actions = ("publish", "new_draft")

    def get_readonly_fields(self, request: HttpRequest, obj: TemplateVersion | None = None) -> tuple[str, ...]:
        """A version stays with its template, in which it has its number."""
        return ("template",) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        """What was published never changes."""
        is_fixed = obj is not None and obj.state != VersionState.DRAFT
        return not is_fixed and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        """Deliveries are read back with the version that they were sent with."""
        is_fixed = obj is not None and obj.state != VersionState.DRAFT
        return not is_fixed and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without the bulk deletion, which would take published ones along."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: TemplateVersion, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """A new version is a draft with the next number."""
        if change:
            super().save_model(request, obj, form, change)
            return
        made = publishing.create_draft(obj.template, obj.content, sample_data=obj.sample_data)
        obj.pk, obj.number, obj.created_at = made.pk, made.number, made.created_at
        obj._state.adding = False  # noqa: SLF001 - the row is there already

    @admin.action(description="Publish", permissions=["change"])
    def publish(self, request: HttpRequest, versions: QuerySet[TemplateVersion]) -> None:
        """From now on these are what applications get."""
        for version in versions.select_related("template"):
            try:
                publishing.publish(version, timezone.now())
                self.message_user(request, f"{version} is published.", messages.SUCCESS)
            except NotPublishable as error:
                self.message_user(request, f"{version}: {error}", messages.ERROR)

    @admin.action(description="Make a draft of it", permissions=["add"])
    def new_draft(self, request: HttpRequest, versions: QuerySet[TemplateVersion]) -> None:
        """A copy to work on."""
        for version in versions.select_related("template"):
            made = publishing.create_draft(version.template, version.content, sample_data=version.sample_data)
            self.message_user(request, f"{made} is a draft of {version}.", messages.SUCCESS)
