"""The form of a provider account: what cannot work is refused, with the reason, and what was meant is understood."""

import json
from collections.abc import Container
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.html import format_html, format_html_join

from accounts.channels import Channel, Mode
from accounts.json_input import JSONInput
from notifications import trying, vault
from notifications.clock import clock
from notifications.models import ProviderAccount
from notifications.providers import endpoints, registry
from notifications.providers.contract import (
    Account,
    BadAccount,
    Provider,
)
from notifications.providers.pasting import mended
from notifications.providers.probing import Judgement, Standing


class ProviderAccountForm(forms.ModelForm[ProviderAccount]):
    """Checks an account before it is saved, with the provider's own knowledge of what can work.

    `judgement` is what the provider said of new credentials, where it was asked.
    """

    provider = forms.ChoiceField(choices=[(name, name) for name in registry.NAMES])
    new_credentials = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text="A JSON object. Left empty: the stored ones stay. They are encrypted and never shown again.",
    )
    ask_provider = forms.BooleanField(
        required=False,
        initial=True,
        label="Ask the provider first",
        help_text="Whether it takes new credentials, before they are saved. Nobody is sent anything.",
    )

    class Meta:
        model = ProviderAccount
        fields = (
            "name", "provider", "mode", "endpoint", "settings", "rank", "is_active", "messages_per_s", "segments_per_s",
            "at_once",
        )  # fmt: skip
        field_classes = {"settings": JSONInput}
        widgets = {"settings": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})}

    judgement: Judgement | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        name = self.data.get("provider") or self.initial.get("provider") or self.instance.provider
        if name in registry.NAMES:
            self._explain(registry.provider(name))

    def clean_new_credentials(self) -> dict[str, Any] | None:
        """The credentials as they were written; None to keep the stored ones."""
        raw: str = self.cleaned_data["new_credentials"].strip()
        if not raw:
            return None
        try:
            # not strict: a key that was pasted between two quotes brings its line breaks
            credentials = json.loads(raw, strict=False)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"Not valid JSON: {error}") from None
        if not isinstance(credentials, dict):
            raise forms.ValidationError("Write a JSON object whose values are texts.")
        return credentials

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

    def clean_settings(self) -> dict[str, Any]:
        """The settings as they were written."""
        given = self.cleaned_data["settings"] or {}
        if not isinstance(given, dict):
            raise forms.ValidationError("Write a JSON object whose values are texts.")
        return given

    def clean(self) -> dict[str, Any]:
        """Let the provider look at the whole account."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        provider = registry.provider(cleaned["provider"])
        cleaned["settings"] = self._mended("settings", cleaned["settings"], provider)
        if cleaned.get("new_credentials") is not None:
            cleaned["new_credentials"] = self._mended("new_credentials", cleaned["new_credentials"], provider)
        self._check_endpoint(cleaned["endpoint"], cleaned["mode"], provider)
        self._check_role(cleaned)
        self._keep_its_routes(cleaned)
        if cleaned.get("segments_per_s") and provider.channel is not Channel.SMS:
            self.add_error("segments_per_s", f"{cleaned['provider']} sends no text messages; leave this empty.")
        if not self.errors:
            self._check_account(cleaned, provider)
        return cleaned

    def save(self, commit: bool = True) -> ProviderAccount:  # noqa: FBT001, FBT002 - Django's signature
        """Seal new credentials before anything is written."""
        if credentials := self.cleaned_data.get("new_credentials"):
            self.instance.credentials = vault.seal(credentials)
        saved: ProviderAccount = super().save(commit=commit)
        return saved

    def _explain(self, provider: Provider) -> None:
        """Name what this provider wants, in the words in which it would be missed, and show how it is written."""
        for field, words in (("new_credentials", provider.credentials), ("settings", provider.settings)):
            if field not in self.fields:  # somebody who may only look
                continue
            self.fields[field].help_text = format_html(
                "{} {} takes:{}",
                self.fields[field].help_text or "A JSON object.",
                provider.name,
                format_html_join("", "<br><code>{}</code> {}", words.items()),
            )
            needed = [name for name, text in words.items() if not text.startswith("optional")]
            self.fields[field].widget.attrs["placeholder"] = json.dumps(dict.fromkeys(needed, "…"), ensure_ascii=False)

    def _mended(self, field: str, given: dict[str, Any], provider: Provider) -> dict[str, str]:
        names = provider.credentials if field == "new_credentials" else provider.settings
        meant = mended(given, names)
        if unknown := [name for name in meant if name not in names]:
            self.add_error(
                field, f"{provider.name} knows no {', '.join(map(repr, unknown))[:200]}; it takes {', '.join(names)}."
            )
        elif not all(isinstance(value, str) for value in meant.values()):
            self.add_error(field, "Write a JSON object whose values are texts.")
        return meant

    def _check_endpoint(self, endpoint: str, mode: str, provider: Provider) -> None:
        try:
            endpoints.check(provider.name, endpoint)
        except BadAccount as error:
            self.add_error("endpoint", f"{str(error)[:1].upper()}{str(error)[1:]}.")
        is_public_alone = mode == Mode.LIVE and not (
            settings.PRIVATE_ENDPOINTS or endpoints.may_be_private(provider.name)
        )
        if endpoint and is_public_alone and endpoints.is_private(endpoint):
            self.add_error(
                "endpoint",
                "A live account cannot send into a private network. Make it a test account, or set PRIVATE_ENDPOINTS.",
            )

    def _check_role(self, cleaned: dict[str, Any]) -> None:
        """An account that is diverted, or stands in for others, stays what it is as long as that lasts."""
        if self.instance.diverted_to_id and (cleaned["mode"] != Mode.LIVE or "provider" in self.changed_data):
            raise forms.ValidationError("Its messages go to the sandbox instead: end that first.")
        if not (self.instance.provider and {"mode", "provider", "is_active"} & set(self.changed_data)):
            return
        served = ProviderAccount.objects.filter(diverted_to=self.instance.pk).values_list("name", flat=True)
        if served and (cleaned["mode"] == Mode.LIVE or "provider" in self.changed_data or not cleaned["is_active"]):
            raise forms.ValidationError(f"It sends in place of {', '.join(served)}: end that first.")

    def _keep_its_routes(self, cleaned: dict[str, Any]) -> None:
        """An account on a route stays what the route needs: of the same channel, for the same keys."""
        channel = registry.channel_of(cleaned["provider"])
        for step in self.instance.steps.select_related("route"):
            if step.route.channel != channel or step.route.mode != cleaned["mode"]:
                self.add_error(None, f"It stands on the route “{step.route}”; take it out there first.")

    def _check_account(self, cleaned: dict[str, Any], provider: Provider) -> None:
        try:
            credentials = cleaned.get("new_credentials") or vault.unseal(self.instance.credentials)
        except vault.Sealed as error:
            raise forms.ValidationError(f"{error} Put that key back, or give new credentials.") from None
        endpoint = (cleaned["endpoint"] or provider.default_endpoint).rstrip("/")
        account = Account(cleaned["name"], endpoint, credentials, cleaned["settings"])
        try:
            provider.check(account)
        except BadAccount as error:
            raise forms.ValidationError(str(error)) from None
        if cleaned.get("ask_provider") and cleaned.get("new_credentials"):
            self.judgement = trying.check(provider, account, clock.now())
            if self.judgement.standing is Standing.REFUSED:
                raise forms.ValidationError(f"{provider.name} does not take these credentials. {self.judgement.says}")


def _is_origin(endpoint: str, schemes: Container[str]) -> bool:
    try:
        parts = urlsplit(endpoint)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    extra = parts.query or parts.fragment or parts.username
    return parts.scheme in schemes and has_host and not extra and endpoint.isprintable() and " " not in endpoint
