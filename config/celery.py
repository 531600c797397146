"""The Celery app. A task is a doorway; the broker carries hints, and the ledger is the truth."""

import os

from celery import Celery, Task
from celery.signals import task_postrun, task_prerun, worker_ready, worker_shutting_down
from django.db import close_old_connections

from config import memory
from config.pulse import Pulse
from notifications.liveness import signing
from notifications.stopping import stopping

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Celery would run Django's checks in every worker, and those load all of the API and the admin: 15 MB that no worker
# uses. `make lint` runs them, and every command of manage.py.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

memory.keep_in_one_heap()

app = Celery("bongsu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(Pulse)


@worker_ready.connect
def _settle(**_options: object) -> None:
    memory.settle()


@task_prerun.connect
def _mend_connections(**_options: object) -> None:
    """As Django does before a request: a connection that broke, or is older than CONN_MAX_AGE, is made anew.

    Celery would make one for every task, and a new one has to learn every partition of the log again.
    """
    close_old_connections()


@task_prerun.connect
def _sign_beginning(task: Task, **_options: object) -> None:  # type: ignore[type-arg] # of whatever kind
    signing.began(task.name)


@task_postrun.connect
def _sign_end(**_options: object) -> None:
    signing.ended()


@worker_shutting_down.connect
def _hurry(**_options: object) -> None:
    """Within the handler of SIGTERM: the task in hand learns that it should come to an end."""
    stopping.begin()
