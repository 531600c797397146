"""What can be done with one provider account: ask whether it works, send oneself a test, divert it to the sandbox.

Each changes something or reaches out, so each is a POST, by somebody who may change this account.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.bases import ModelAdmin
from accounts.channels import Channel, Mode
from notifications import diversion, trying, vault
from notifications.clock import clock
from notifications.models import ProviderAccount
from notifications.providers import registry
from notifications.providers.probing import Judgement, Standing
from notifications.routes import Outlet, outlet_of, routes

MESSAGE_LEVELS: Final[Mapping[Standing, int]] = {
    Standing.WORKS: messages.SUCCESS,
    Standing.REFUSED: messages.ERROR,
    Standing.UNCLEAR: messages.WARNING,
}

_WANTED: Final[Mapping[Channel, str]] = {
    Channel.SMS: "A phone number, as in +821012345678",
    Channel.EMAIL: "An email address",
    Channel.PUSH: "A device's token",
}


class TestForm(forms.Form):
    """Whom to send a test to."""

    to = forms.CharField(max_length=4096, widget=forms.TextInput(attrs={"class": "vTextField", "autofocus": True}))


class StandInForm(forms.Form):
    """Who is to send instead; left out, the first that can."""

    stand_in = forms.ModelChoiceField(ProviderAccount.objects.none(), required=False, empty_label=None)


class AccountTools(ModelAdmin[ProviderAccount]):
    """The tools of an account's page."""

    def tool_urls(self) -> list[URLPattern]:
        """An address each."""
        tools: dict[str, Callable[[HttpRequest, UUID], HttpResponse]] = {
            "check": self.check_view,
            "test": self.test_view,
            "divert": self.divert_view,
            "restore": self.restore_view,
        }
        return [
            path(f"<uuid:key>/{name}/", self.admin_site.admin_view(view), name=f"notifications_provideraccount_{name}")
            for name, view in tools.items()
        ]

    def tools_of(self, request: HttpRequest, account: ProviderAccount) -> dict[str, Any]:
        """What the page needs to show them."""
        return {
            "may_try": self.has_change_permission(request, account),
            "stand_ins": ProviderAccount.objects.stand_ins_for(account) if account.mode == Mode.LIVE else (),
        }

    def check_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Ask the provider what it thinks of the credentials."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        account = self._changeable(request, key)
        judgement = _judged(account, lambda outlet: trying.check(outlet.provider, outlet.account, clock.now()))
        return self._told(request, account, judgement, "Checked the credentials")

    def test_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Ask for an address, then send there. While the account is diverted, its stand-in sends."""
        account = self._changeable(request, key)
        if account.provider not in registry.NAMES:
            messages.error(request, _unknown(account))
            return self._back(account)
        sender = account.diverted_to or account
        provider = registry.provider(account.provider)
        form = TestForm(request.POST if request.method == "POST" else None)
        form.fields["to"].help_text = f"{_WANTED[provider.channel]}, or a recipient's external id."
        if request.method == "POST" and form.is_valid():
            try:
                address = trying.address_of(form.cleaned_data["to"], provider)
            except trying.NoAddress as error:
                form.add_error("to", str(error))
            else:
                judgement = _judged(
                    sender, lambda outlet: trying.send(outlet.provider, outlet.account, address, clock.now())
                )
                return self._told(request, account, judgement, "Sent a test")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Send a test through {account}",
            "account": account,
            "form": form,
            "opts": self.opts,
            "has_view_permission": self.has_view_permission(request, account),
        }
        return TemplateResponse(request, "admin/notifications/provideraccount/test.html", context)

    def divert_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Let a test account send in its place."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        account = self._changeable(request, key)
        form = StandInForm(request.POST)
        choice = form.fields["stand_in"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = ProviderAccount.objects.stand_ins_for(account)
        if not form.is_valid():
            messages.error(request, "That account cannot send in its place.")
            return self._back(account)
        try:
            chosen = diversion.divert(account, form.cleaned_data["stand_in"], by=str(request.user), at=clock.now())
        except diversion.CannotDivert as error:
            messages.error(request, str(error))
        else:
            routes.forget()
            self.log_change(request, account, f"Diverted to {chosen}.")
            messages.warning(request, f"From within five seconds on, messages of {account} reach nobody.")
        return self._back(account)

    def restore_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Let it send itself again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        account = self._changeable(request, key)
        if diversion.restore(account, by=str(request.user)):
            routes.forget()
            self.log_change(request, account, "Sends itself again.")
            messages.success(request, f"From within five seconds on, messages of {account} reach people again.")
        return self._back(account)

    def _changeable(self, request: HttpRequest, key: UUID) -> ProviderAccount:
        account = get_object_or_404(self.get_queryset(request).select_related("diverted_to"), pk=key)
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        return account

    def _told(self, request: HttpRequest, account: ProviderAccount, judgement: Judgement, did: str) -> HttpResponse:
        messages.add_message(request, MESSAGE_LEVELS[judgement.standing], f"Account {account}: {judgement.says}")
        self.log_change(request, account, f"{did}: {judgement.standing}.")
        return self._back(account)

    def _back(self, account: ProviderAccount) -> HttpResponse:
        return redirect(reverse("admin:notifications_provideraccount_change", args=[account.pk]))


def _unknown(account: ProviderAccount) -> str:
    return f"{account.provider} is not known here any more: there is no way to try this account."


def _judged(account: ProviderAccount, judge: Callable[[Outlet], Judgement]) -> Judgement:
    if account.provider not in registry.NAMES:
        return Judgement(Standing.REFUSED, _unknown(account))
    try:
        return judge(outlet_of(account))
    except vault.Sealed as error:
        return Judgement(Standing.REFUSED, f"{error} Put that key back, or give new credentials.")
