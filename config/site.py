"""The admin site: its title, where it starts, and what every page must say."""

from collections.abc import Callable, Iterable
from functools import update_wrapper
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.admin import ModelAdmin
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

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

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: Any = None,
        **options: Any,
    ) -> None:
        """As Django does, with `Watched` before the class: whatever is registered is audited."""
        # this file is read before there are models
        watched = import_module("accounts.staff.watched").Watched
        given = admin_class or ModelAdmin
        both = (
            given if issubclass(given, watched) else type(given.__name__, (watched, given), {"__doc__": given.__doc__})
        )
        super().register(model_or_iterable, both, **options)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's
        """As Django does; what leaves is what this person may see."""
        inner = super().admin_view(view, cacheable)
        for_eyes_of = import_module("accounts.staff.eyes").for_eyes_of

        def shown(request: HttpRequest, *values: Any, **named: Any) -> HttpResponseBase:
            answer: HttpResponseBase = for_eyes_of(request.user, inner(request, *values, **named))
            return answer

        return update_wrapper(shown, inner)

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
