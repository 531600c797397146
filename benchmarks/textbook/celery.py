"""A task per message."""

import json
import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.textbook.settings")

app = Celery("textbook", broker=os.environ.get("TEXTBOOK_BROKER", ""))
app.conf.task_ignore_result = True


@app.task(name="textbook.send")
def send(push_id: int) -> None:
    """Get the row, send the message, save the row."""
    from django.utils import timezone
    from pyfcm import FCMNotification

    from benchmarks.textbook.models import Push

    push = Push._default_manager.get(pk=push_id)
    global _client
    if _client is None:
        _client = FCMNotification(
            service_account_file=os.environ["TEXTBOOK_ACCOUNT"],
            project_id=json.loads(open(os.environ["TEXTBOOK_ACCOUNT"]).read())["project_id"],
        )
        _client._fcm_end_point = os.environ["TEXTBOOK_ENDPOINT"]
    answer = _client.notify(fcm_token=push.token, notification_title=push.title, notification_body=push.body)
    push.state = "sent"
    push.provider_ref = answer["name"]
    push.sent_at = timezone.now()
    push.save()


_client: Any = None
