"""The doors for people who own the words."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.bases import ModelAdmin, TabularInline
from accounts.channels import Channel
from accounts.json_input import JSONInput
from accounts.locales import NotALocale, normal
from accounts.policies import at_odds
from accounts.staff import versions
from templates_app import publishing, reviewing, sharing
from templates_app.models import Partial, Template, TemplateVersion, VersionState
from templates_app.moves import Move, refusal
from templates_app.publishing import Draft, NotPublishable
from templates_app.rendering import ContentError, compile_content
from templates_app.review_pages import ReviewPages
from templates_app.schemas import SchemaError, compile_schema


class VersionInline(TabularInline[TemplateVersion, Template]):
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
class TemplateAdmin(ModelAdmin[Template]):
    """Named messages."""

    form = TemplateForm
    list_display = ("name", "title", "category", "default_locale")
    list_filter = ("category",)
    list_select_related = ("category",)
    search_fields = ("name", "title")
    ordering = ("name",)
    inlines = (VersionInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Template | None = None) -> tuple[str, ...]:
        """Another category may need no approval, so it is not an editor's to choose again; nor is the way it takes."""
        if request.user.has_perm("templates_app.route_template"):
            return ()
        way = ("routing", "routing_order", "seen_within_days", "escalate_after", "reach")
        return ("name", "category", *way) if obj else way


class VersionForm(forms.ModelForm[TemplateVersion]):
    """Tells the place of a mistake in the text before it is saved."""

    class Meta:
        model = TemplateVersion
        fields = ("template", "content", "sample_data", "schema")
        field_classes = {"content": JSONInput, "sample_data": JSONInput, "schema": JSONInput}

    def clean(self) -> dict[str, Any]:
        """Nobody gave it to review or changed it meanwhile; from here on nobody can, until it is saved."""
        cleaned = super().clean() or self.cleaned_data
        if not self.instance._state.adding:  # noqa: SLF001 - as Django's forms ask
            template = publishing.locked(self.instance)
            if why := refusal(Move.EDIT, publishing.standing(template, self.instance), None):
                raise forms.ValidationError(why)
            versions.must_be_as_opened(self)
        return cleaned

    def clean_content(self) -> Any:
        """Content that can be compiled."""
        content = self.cleaned_data["content"]
        try:
            compile_content(content, sharing.current())
        except ContentError as error:
            raise forms.ValidationError(str(error)) from None
        return content

    def clean_sample_data(self) -> dict[str, Any]:
        """An object, as applications send it."""
        sample_data = self.cleaned_data["sample_data"] or {}
        if not isinstance(sample_data, dict):
            raise forms.ValidationError('Write an object, for example {"user_name": "지민"}.')
        return sample_data

    def clean_schema(self) -> dict[str, Any]:
        """A JSON Schema that can be used."""
        schema: dict[str, Any] = self.cleaned_data["schema"] or {}
        try:
            compile_schema(schema)
        except SchemaError as error:
            raise forms.ValidationError(str(error)) from None
        return schema


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReviewPages, ModelAdmin[TemplateVersion]):
    """Editions: drafts can be changed, published ones cannot."""

    form = VersionForm
    list_display = ("__str__", "state", "created_at", "published_at")
    list_filter = ("state", "template")
    list_select_related = ("template",)
    search_fields = ("template__name",)
    ordering = ("-created_at",)
    actions = ("publish", "new_draft", "suggest_schema")

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
            reviewing.edit(obj, Draft.of(obj), timezone.now(), request.user)
            return
        made = publishing.create_draft(obj.template, Draft.of(obj), by=request.user)
        obj.pk, obj.number, obj.created_at = made.pk, made.number, made.created_at
        obj._state.adding = False  # noqa: SLF001 - the row is there already

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Where no approval is needed: whoever writes may not for that publish."""
        return request.user.has_perm("templates_app.publish_templateversion")

    @admin.action(description="Publish", permissions=["publish"])
    def publish(self, request: HttpRequest, versions: QuerySet[TemplateVersion]) -> None:
        """From now on these are what applications get."""
        for version in versions.select_related("template"):
            try:
                publishing.publish(version, timezone.now(), by=request.user)
                self.message_user(request, f"{version} is published.", messages.SUCCESS)
            except NotPublishable as error:
                self.message_user(request, f"{version}: {error}", messages.ERROR)

    @admin.action(description="Make a draft of it", permissions=["add"])
    def new_draft(self, request: HttpRequest, versions: QuerySet[TemplateVersion]) -> None:
        """A copy to work on."""
        for version in versions.select_related("template"):
            made = publishing.create_draft(version.template, Draft.of(version), by=request.user)
            self.message_user(request, f"{made} is a draft of {version}.", messages.SUCCESS)

    @admin.action(description="Suggest a schema", permissions=["change"])
    def suggest_schema(self, request: HttpRequest, versions: QuerySet[TemplateVersion]) -> None:
        """Give drafts a schema made from their texts and sample data, to be looked over."""
        for version in versions.select_related("template"):
            try:
                reviewing.suggest_schema(version, timezone.now(), request.user)
                self.message_user(request, f"{version} has a schema; look it over.", messages.SUCCESS)
            except (NotPublishable, ContentError) as error:
                self.message_user(request, f"{version}: {error}", messages.ERROR)


class PartialForm(forms.ModelForm[Partial]):
    """Tells the place of a mistake in a partial before it is saved."""

    class Meta:
        model = Partial
        fields = ("name", "title", "kind", "texts")
        field_classes = {"texts": JSONInput}

    def clean(self) -> dict[str, Any]:
        """Texts that can be compiled, together with the partials that they bring in."""
        cleaned: dict[str, Any] = super().clean() or {}
        name = cleaned.get("name") or self.instance.name
        if name and {"kind", "texts"} <= cleaned.keys():
            try:
                sharing.checked(name, cleaned["kind"], cleaned["texts"])
            except ContentError as error:
                self.add_error("texts", str(error))
        return cleaned


@admin.register(Partial)
class PartialAdmin(ModelAdmin[Partial]):
    """Parts that templates share. Who was published with one keeps it as it was."""

    form = PartialForm
    list_display = ("name", "title", "kind")
    list_filter = ("kind",)
    search_fields = ("name", "title")
    ordering = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Partial | None = None) -> tuple[str, ...]:
        """Texts call it by its name, which therefore stays."""
        return ("name", "used_by") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Partial | None = None) -> tuple[str, ...]:
        """Who uses it is shown where it can be changed."""
        return ("name", "title", "kind", "texts", *(("used_by",) if obj else ()))

    @admin.display(description="Used by")
    def used_by(self, obj: Partial) -> str:
        """Templates, and whether a change reaches them."""
        return _used(obj.name) or "Nothing yet."

    def save_model(self, request: HttpRequest, obj: Partial, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Say who does not get the change before a new version is published."""
        super().save_model(request, obj, form, change)
        if change and (used := _used(obj.name)):
            self.message_user(request, f"Used by {used}", messages.WARNING)


def _used(name: str) -> str:
    kept, drafts = sharing.users(name)
    said = []
    if kept:
        names = ", ".join(map(str, kept))
        said.append(f"{names}: with it as it was; publish a new version to bring in what changes here.")
    if drafts:
        said.append(f"{', '.join(map(str, drafts))}: drafts, which follow.")
    return " ".join(said)
