"""The admin site: its title, and where it starts."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class BongsuAdminSite(AdminSite):
    site_header = "Bongsu"
    site_title = "Bongsu"
    index_title = "What happens here"


class BongsuAdminConfig(AdminConfig):
    default_site = "config.site.BongsuAdminSite"
