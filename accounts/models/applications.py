"""Who can call: programs and their keys."""

from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.channels import Mode
from accounts.ids import new_id
from accounts.models.kinds import choices, one_of


class Scope(StrEnum):
    """What an application may do through the API."""

    NOTIFICATIONS_WRITE = "notifications:write"
    NOTIFICATIONS_READ = "notifications:read"
    RECIPIENTS_WRITE = "recipients:write"
    RECIPIENTS_READ = "recipients:read"
    TEMPLATES_READ = "templates:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    CAMPAIGNS_READ = "campaigns:read"
    EVENTS_WRITE = "events:write"


def all_scopes() -> list[str]:
    """What a new application may do until somebody narrows it."""
    return [scope.value for scope in Scope]


class Application(models.Model):
    """An API client of a product team."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, unique=True)
    scopes = ArrayField(
        models.CharField(max_length=40, choices=choices(Scope)),
        default=all_scopes,
        help_text="What this application may do through the API.",
    )
    rate_limit = models.CharField(
        max_length=20,
        default="6000/m",
        help_text="Requests it may make: a number, a slash, and s, m, h or d. For example 200/s.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="application_rate_limit_form",
                condition=Q(rate_limit__regex=r"^[1-9][0-9]{0,8}/[smhd]$"),
                violation_error_message="Write a number, a slash, and s, m, h or d: for example 200/s.",
            ),
            models.CheckConstraint(
                name="application_scopes_known",
                condition=Q(scopes__contained_by=all_scopes()),
                violation_error_message=f"A scope is one of {', '.join(all_scopes())}.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AppKey(models.Model):
    """One appKey of an application, live or test, with up to two valid secrets while they are rotated.

    Only SHA-256 digests are kept. That is enough: a secret is 256 random bits, so there is nothing to
    guess, and a slow hash would cost a quarter of a second on every call.
    """

    key = models.CharField(primary_key=True, max_length=40, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="keys")
    mode = models.CharField(max_length=4, choices=choices(Mode))
    digest = models.BinaryField(max_length=32, editable=False)
    previous_digest = models.BinaryField(max_length=32, null=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="app_key_mode_known", condition=one_of("mode", Mode)),
            models.CheckConstraint(
                name="app_key_previous_secret_ends",
                condition=Q(previous_digest__isnull=True, previous_until__isnull=True)
                | Q(previous_digest__isnull=False, previous_until__isnull=False),
                violation_error_message="A previous secret needs the moment at which it stops being valid.",
            ),
        ]

    def __str__(self) -> str:
        return self.key
