"""A task per message."""

import json
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.textbook.settings")

app = Celery("textbook", broker=os.environ.get("TEXTBOOK_BROKER", ""))
app.conf.task_ignore_result = True


@app.task(name="textbook.send", bind=True, max_retries=3)  # type: ignore[untyped-decorator]
def send(self: object, push_id: int) -> None:
    """Get the row, send the message, save the row."""
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by Celery
    from pyfcm import FCMNotification  # noqa: PLC0415

    from benchmarks.textbook.models import Push  # noqa: PLC0415

    push = Push.objects.get(pk=push_id)
    global _client  # noqa: PLW0603 - one client a process, as pyfcm's documentation has it
    if _client is None:
        _client = FCMNotification(
            service_account_file=os.environ["TEXTBOOK_ACCOUNT"],
            project_id=json.loads(open(os.environ["TEXTBOOK_ACCOUNT"]).read())["project_id"],  # noqa: PTH123, SIM115
        )
        _client._fcm_end_point = os.environ["TEXTBOOK_ENDPOINT"]
    answer = _client.notify(fcm_token=push.token, notification_title=push.title, notification_body=push.body)
    push.state = "sent"
    push.provider_ref = answer["name"]
    push.sent_at = timezone.now()
    push.save()


_client: object = None
