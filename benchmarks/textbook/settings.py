"""A Django project as it is usually begun."""

import os

SECRET_KEY = "only for a comparison"
INSTALLED_APPS = ["benchmarks.textbook"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("TEXTBOOK_NAME", ""),
        "HOST": os.environ.get("TEXTBOOK_HOST", ""),
        "PORT": os.environ.get("TEXTBOOK_PORT", ""),
        "USER": os.environ.get("TEXTBOOK_USER", ""),
        "CONN_MAX_AGE": 600,
    }
}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
