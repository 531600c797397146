"""The admin site: its title, and where it starts."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class BongsuAdminSite(AdminSite):
    """Titles."""

    site_header = "Bongsu"
    site_title = "Bongsu"
    index_title = "What happens here"


class BongsuAdminConfig(AdminConfig):
    """Makes ours the default site, so that every app registers with it."""

    default_site = "config.site.BongsuAdminSite"
