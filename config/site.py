"""The admin site: its title, and where it starts."""

from importlib import import_module

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import SimpleAdminConfig


class BongsuAdminSite(AdminSite):
    """Titles."""

    site_header = "Bongsu"
    site_title = "Bongsu"
    index_title = "What happens here"


class BongsuAdminConfig(SimpleAdminConfig):
    """Makes ours the default site. config/urls.py finds its pages: workers, which show none, do not load them."""

    default_site = "config.site.BongsuAdminSite"

    def ready(self) -> None:
        """Make the checks of our settings known."""
        super().ready()
        import_module("config.checks")
