"""Provider accounts: credentials go in and are never shown again."""

import json
from collections.abc import Container
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin

from accounts.channels import Channel
from accounts.json_input import JSONInput
from notifications import vault
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
        """Scheme, host and port, perhaps a path: what requests begin with. Nothing is spoken without TLS."""
        endpoint: str = self.cleaned_data["endpoint"].strip()
        provider = self.cleaned_data.get("provider")
        if not (endpoint and provider):
            return endpoint
        patterns = registry.endpoints_of(provider)
        if not _is_origin(endpoint, {pattern.partition(":")[0] for pattern in patterns}):
            raise forms.ValidationError(f"Write it as {' or '.join(patterns)}.")
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
        if cleaned.get("segments_per_s") and provider.channel is not Channel.SMS:
            self.add_error("segments_per_s", f"{cleaned['provider']} sends no text messages; leave this empty.")
        return cleaned

    def save(self, commit: bool = True) -> ProviderAccount:  # noqa: FBT001, FBT002 - Django's signature
        """Seal new credentials before anything is written."""
        if credentials := self.cleaned_data.get("new_credentials"):
            self.instance.credentials = vault.seal(credentials)
        saved: ProviderAccount = super().save(commit=commit)
        return saved


def _is_origin(endpoint: str, schemes: Container[str]) -> bool:
    try:
        parts = urlsplit(endpoint)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    extra = parts.query or parts.fragment or parts.username
    return parts.scheme in schemes and has_host and not extra and endpoint.isprintable() and " " not in endpoint


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
