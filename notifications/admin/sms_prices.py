"""What text messages cost: line by line, or a whole list from a file."""

from typing import Any, BinaryIO, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.bases import ModelAdmin
from accounts.channels import Channel
from notifications import pricing
from notifications.clock import clock
from notifications.models import ProviderAccount, SmsPrice
from notifications.planning.prices import NoDestination, destination
from notifications.providers import registry

_SENDERS = tuple(name for name in registry.NAMES if registry.channel_of(name) is Channel.SMS)
#: In bytes: twice what the longest list has.
_LARGEST = 2_000_000


def _provider_choices() -> list[tuple[str, str]]:
    return [("", "---------"), *((name, name) for name in _SENDERS)]


def _accounts() -> Any:
    return ProviderAccount.objects.filter(provider__in=_SENDERS).order_by("name")


class SmsPriceForm(forms.ModelForm[SmsPrice]):
    """Keeps the destination as it is looked up."""

    provider = forms.ChoiceField(choices=_provider_choices, required=False)

    class Meta:
        model = SmsPrice
        fields = ("provider", "account", "destination", "per_segment", "currency", "valid_from")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        account = self.fields["account"]
        assert isinstance(account, forms.ModelChoiceField)
        account.queryset = _accounts()

    def clean_destination(self) -> str:
        """A country's letters, or digits without a plus."""
        try:
            return destination(self.cleaned_data["destination"])
        except NoDestination as error:
            raise forms.ValidationError(str(error)) from None

    def clean_currency(self) -> str:
        """In capitals."""
        currency: str = self.cleaned_data["currency"]
        return currency.strip().upper()


class PriceListForm(forms.Form):
    """A file, and whose prices stand in it."""

    provider = forms.ChoiceField(
        choices=_provider_choices, required=False, help_text="For all accounts of a provider …"
    )
    account = forms.ModelChoiceField(
        ProviderAccount.objects.none(), required=False, help_text="… or for what one account has agreed to."
    )
    file = forms.FileField(help_text="CSV in UTF-8.")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        account = self.fields["account"]
        assert isinstance(account, forms.ModelChoiceField)
        account.queryset = _accounts()

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("provider")) == bool(cleaned.get("account")):
            raise forms.ValidationError("Name a provider or an account, and not both.")
        if (file := cleaned.get("file")) and file.size > _LARGEST:
            self.add_error("file", f"Larger than {_LARGEST // 1_000_000} MB: that is no price list.")
        return cleaned


@admin.register(SmsPrice)
class SmsPriceAdmin(ModelAdmin[SmsPrice]):
    """The price list."""

    form = SmsPriceForm
    change_list_template = "admin/notifications/smsprice/change_list.html"
    list_display = ("destination", "per_segment", "currency", "valid_from", "provider", "account")
    list_filter = ("provider", "account", "currency")
    list_select_related = ("account",)
    search_fields = ("=destination",)
    search_help_text = "A country or a prefix, as it stands in the list."
    ordering = ("destination", "-valid_from")

    def get_urls(self) -> list[URLPattern]:
        """One page more."""
        page = path("import/", self.admin_site.admin_view(self.import_view), name="notifications_smsprice_import")
        return [page, *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take over a list; what is wrong with it is told line by line, and then nothing of it is kept."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        form = PriceListForm(request.POST, request.FILES) if request.method == "POST" else PriceListForm()
        faults: list[pricing.Fault] = []
        if request.method == "POST" and form.is_valid():
            try:
                taken = pricing.import_list(
                    cast("BinaryIO", form.cleaned_data["file"]),
                    provider=form.cleaned_data["provider"],
                    account=form.cleaned_data["account"],
                    today=clock.now().date(),
                )
            except pricing.UnusableList as error:
                faults = list(error.faults)
            else:
                messages.success(request, f"{taken} prices were taken over.")
                return redirect(reverse("admin:notifications_smsprice_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Import a price list",
            "form": form,
            "faults": faults[:100],
            "more": max(0, len(faults) - 100),
            "columns": pricing.COLUMNS,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/notifications/smsprice/import.html", context)
