"""One row a message."""

from django.db import models


class Push(models.Model):
    """A push message and its state."""

    token = models.CharField(max_length=255)
    title = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=10, default="queued")
    provider_ref = models.CharField(max_length=200, blank=True, default="")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "textbook"

    def __str__(self) -> str:
        return str(self.pk)
