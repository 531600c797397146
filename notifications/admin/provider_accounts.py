"""Provider accounts: credentials go in and are never shown again."""

import json
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from redis.exceptions import RedisError

from accounts.channels import Channel
from accounts.json_input import JSONInput
from notifications import vault
from notifications.breakers import breakers
from notifications.models import ProviderAccount
from notifications.providers import registry
from notifications.providers.contract import Account, BadAccount


class ProviderAccountForm(forms.ModelForm[ProviderAccount]):
    """Checks an account before it is saved, with the provider's own knowledge of what can work."""

    provider = forms.ChoiceField(choices=[(name, name) for name in registry.NAMES])
    new_credentials = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text="A JSON object. Left empty: the stored ones stay. They are encrypted and never shown again.",
    )

    class Meta:
        model = ProviderAccount
        fields = (
            "name", "provider", "mode", "endpoint", "settings", "rank", "is_active", "messages_per_s", "segments_per_s",
            "at_once",
        )  # fmt: skip
        field_classes = {"settings": JSONInput}

    def clean_new_credentials(self) -> dict[str, str] | None:
        """The credentials as a mapping of texts; None to keep the stored ones."""
        raw: str = self.cleaned_data["new_credentials"].strip()
        if not raw:
            return None
        try:
            credentials = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"Not valid JSON: {error}") from None
        if not _is_texts(credentials):
            raise forms.ValidationError("Write a JSON object whose values are texts.")
        return dict(credentials)

    def clean_endpoint(self) -> str:
        """Scheme, host and port, perhaps a path: what requests begin with. The wire speaks https and nothing else."""
        endpoint: str = self.cleaned_data["endpoint"].strip()
        if not endpoint:
            return ""
        if not _is_origin(endpoint):
            raise forms.ValidationError("Write it as https://host or https://host:port.")
        return endpoint

    def clean_settings(self) -> dict[str, str]:
        """The settings as a mapping of texts."""
        given = self.cleaned_data["settings"] or {}
        if not _is_texts(given):
            raise forms.ValidationError("Write a JSON object whose values are texts.")
        return dict(given)

    def clean(self) -> dict[str, Any]:
        """Let the provider look at the whole account."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        provider = registry.provider(cleaned["provider"])
        try:
            credentials = cleaned.get("new_credentials") or vault.unseal(self.instance.credentials)
        except vault.Sealed as error:
            raise forms.ValidationError(f"{error} Put that key back, or give new credentials.") from None
        endpoint = (cleaned["endpoint"] or provider.default_endpoint).rstrip("/")
        try:
            provider.check(Account(cleaned["name"], endpoint, credentials, cleaned["settings"]))
        except BadAccount as error:
            raise forms.ValidationError(str(error)) from None
        self._keep_its_routes(cleaned)
        if cleaned.get("segments_per_s") and provider.channel is not Channel.SMS:
            self.add_error("segments_per_s", f"{cleaned['provider']} sends no text messages; leave this empty.")
        return cleaned

    def _keep_its_routes(self, cleaned: dict[str, Any]) -> None:
        """An account on a route stays what the route needs: of the same channel, for the same keys."""
        channel = registry.channel_of(cleaned["provider"])
        for step in self.instance.steps.select_related("route"):
            if step.route.channel != channel or step.route.mode != cleaned["mode"]:
                self.add_error(None, f"It stands on the route “{step.route}”; take it out there first.")

    def save(self, commit: bool = True) -> ProviderAccount:  # noqa: FBT001, FBT002 - Django's signature
        """Seal new credentials before anything is written."""
        if credentials := self.cleaned_data.get("new_credentials"):
            self.instance.credentials = vault.seal(credentials)
        saved: ProviderAccount = super().save(commit=commit)
        return saved


def _is_origin(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    extra = parts.query or parts.fragment or parts.username
    return parts.scheme == "https" and has_host and not extra and endpoint.isprintable() and " " not in endpoint


def _is_texts(given: object) -> bool:
    return isinstance(given, dict) and all(isinstance(value, str) for value in given.values())


@admin.register(ProviderAccount)
class ProviderAccountAdmin(admin.ModelAdmin[ProviderAccount]):
    """The accounts by which messages leave."""

    form = ProviderAccountForm
    list_display = ("name", "provider", "mode", "endpoint", "rank", "messages_per_s", "is_active")
    list_filter = ("provider", "mode", "is_active")
    search_fields = ("name",)
    ordering = ("provider", "rank")
    actions = ("try_now",)

    @admin.action(description="Close the breaker: it was mended", permissions=["change"])
    def try_now(self, request: HttpRequest, chosen: QuerySet[ProviderAccount]) -> None:
        """Send by these accounts again at once, after a balance was topped up or a credential replaced."""
        try:
            for account in chosen:
                breakers.close(account.name)
        except RedisError as error:
            self.message_user(request, f"Redis does not answer ({type(error).__name__}).", messages.ERROR)
        else:
            self.message_user(request, f"{len(chosen)} are sent by again.", messages.SUCCESS)
