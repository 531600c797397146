"""The Celery app. A task is a doorway; the broker carries hints, and the ledger is the truth."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("bongsu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
