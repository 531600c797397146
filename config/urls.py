"""The map: every API root, page and webhook."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import problems

admin.autodiscover()

urlpatterns = [
    path("v1/", include("notifications.api.urls")),
    path("v1/", include("accounts.urls")),
    path("v1/", include("templates_app.urls")),
    path("v1/", include("tracking.urls")),
    path("v1/", include("campaigns.api.urls")),
    path("", include("notifications.api.operations_urls")),
    path("", include("accounts.page_urls")),
    path("", include("tracking.page_urls")),
    path("docs/openapi.json", SpectacularAPIView.as_view(), name="openapi"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="openapi"), name="docs"),
    path("docs/problems", problems.explained, name="problems"),
    path("admin/", admin.site.urls),
]

handler404 = problems.page_not_found
handler500 = problems.server_error
handler400 = problems.bad_request
handler403 = problems.forbidden
