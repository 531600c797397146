"""The Celery app. A task is a doorway; the broker carries hints, and the ledger is the truth."""

import os

from celery import Celery
from celery.signals import task_prerun, worker_ready
from django.db import close_old_connections

from config import memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Celery would run Django's checks in every worker, and those load all of the API and the admin: 15 MB that no worker
# uses. `make lint` runs them, and every command of manage.py.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

memory.keep_in_one_heap()

app = Celery("bongsu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def _settle(**_options: object) -> None:
    memory.settle()


@task_prerun.connect
def _mend_connections(**_options: object) -> None:
    """As Django does before a request: a connection that broke, or is older than CONN_MAX_AGE, is made anew.

    Celery would make one for every task, and a new one has to learn every partition of the log again.
    """
    close_old_connections()
