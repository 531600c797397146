"""What staff did: a line for every change that was made by a page of ours, or to what is sent."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from accounts.ids import new_id


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """About what."""

    def about(self, thing: models.Model) -> "AuditEntryQuerySet":
        """Everything that was done to one object; the latest first."""
        return self.filter(model=thing._meta.label_lower, object_id=str(thing.pk)).order_by("-id")


class AuditEntry(models.Model):
    """One change: a line that is written once. The database refuses to change one, and to delete one within two years.

    `before` and `after` hold the fields that differ, with secrets and addresses masked. Who did it and what it was done
    to stand here by id and by name, without constraints: the proof outlasts both.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor_id = models.IntegerField(null=True, blank=True)
    actor_name = models.CharField("who", max_length=150, help_text="“system” where nobody was signed in.")
    action = models.CharField(max_length=40)
    model = models.CharField("kind", max_length=100)
    object_id = models.CharField("object", max_length=64)
    object_name = models.CharField("name", max_length=200)
    detail = models.CharField(max_length=1000, blank=True, default="")
    before: models.JSONField[Any, Any] = models.JSONField(default=dict)
    after: models.JSONField[Any, Any] = models.JSONField(default=dict)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit log"
        # nobody writes a line by hand, whatever rights they are given
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["model", "object_id", "id"], name="audit_entry_object"),
            models.Index(fields=["actor_name", "id"], name="audit_entry_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.object_name}"
