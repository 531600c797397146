"""The admin site: its title, where it starts, and what every page must say."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.admin.apps import SimpleAdminConfig
from django.http import HttpRequest

if TYPE_CHECKING:
    # the theme says nothing of its types
    from django.contrib.admin import AdminSite as ThemedSite
else:
    from unfold.sites import UnfoldAdminSite as ThemedSite


class BongsuAdminSite(ThemedSite):
    """Titles, and a line across every page while messages of a live account reach nobody."""

    site_header = "Bongsu"
    site_title = "Bongsu"
    index_title = "What happens here"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page knows."""
        # this file is read before there are models
        diverted = apps.get_model("notifications", "ProviderAccount").objects.diverted()
        signed_in = self.has_permission(request)
        shown = list(diverted.select_related("diverted_to").order_by("name")) if signed_in else []
        return super().each_context(request) | {"diverted_accounts": shown}


class BongsuAdminConfig(SimpleAdminConfig):
    """Makes ours the default site. config/urls.py finds its pages: workers, which show none, do not load them."""

    default_site = "config.site.BongsuAdminSite"

    def ready(self) -> None:
        """Make the checks of our settings known."""
        super().ready()
        import_module("config.checks")
